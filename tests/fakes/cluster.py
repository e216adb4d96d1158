"""A swarm in memory that passes the contract suite. A test configures how images behave, and reads the log of calls.

cluster = FakeCluster()
cluster.offer(image)                                             # a registry has it: nodes can pull it
cluster.refuse(image.digest, "node-3")                           # this node cannot pull it
cluster.behave(image.digest, Behaviour(health="unhealthy"))      # its tasks fail, and updates are paused
cluster.fail("apply", EngineError("no answer"), nth=2)           # the second apply from now raises this error

No time passes: each look at a service (`service`, `inspect`, `wait`) takes its tasks one step further.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from promoter.adapters.engine.create_body import revealed_body
from promoter.adapters.swarm.view import NOT_STARTED, shortfall
from promoter.model.errors import EngineError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.labels import promotion_of
from promoter.model.ownership import is_owned, not_ours
from promoter.model.secrets import OPENING
from promoter.pipeline.compose.deploy import UpdateConfig
from promoter.promotion.ports.cluster import ClusterService, Task
from promoter.promotion.ports.container import (
    Container,
    ContainerSpec,
    EngineIdentity,
    ExecResult,
    FileContent,
    LogPart,
    NetworkSpec,
    Observation,
    Output,
    Progress,
)
from promoter.promotion.ports.secrets import Secrets
from tests.fakes.engine import Behaviour

T = TypeVar("T")
NODES = ("node-1", "node-2", "node-3")
CHANGES = ("apply", "revert", "create", "spread", "remove", "ensure_network", "ensure_files", "remove_files")
_UNFINISHED = ("new", "preparing", "starting")
_STEPS = {"new": "preparing", "preparing": "starting"}
_NOT_SETTINGS = frozenset(
    {"image", "build", "environment", "labels", "deploy", "steady", "depends_on", "secrets", "configs", "trial", "protected"}
)
_OF_THE_SERVICE = ("deploy.update_config", "deploy.rollback_config", "deploy.replicas", "deploy.labels.")
"""Settings whose change replaces no task."""


@dataclass(frozen=True)
class Setup:
    """One configuration of a service. As in a swarm's own, the values of secrets are in `settings`."""

    spec: ContainerSpec
    settings: Mapping[str, object]
    force: int = 0
    kind: str = "service"
    made_by: str = ""
    """The promotion that the tasks have the labels of, if it is another than that of the service."""

    @property
    def promotion(self) -> str:
        return promotion_of(self.spec.labels)

    @property
    def of_tasks(self) -> str:
        return self.made_by or self.promotion

    @property
    def template(self) -> object:
        """Return what its tasks are made from."""
        kept = {path: value for path, value in self.settings.items() if not path.startswith(_OF_THE_SERVICE)}
        return self.spec.image, kept, self.of_tasks, self.force

    @property
    def parallelism(self) -> int:
        pace = self.settings["deploy.update_config"]
        assert isinstance(pace, Mapping)
        return int(pace["parallelism"])


@dataclass
class Try:
    """A task inside the fake. A test may change it to simulate a fault."""

    id: str
    slot: int
    node: str
    setup: Setup
    state: str = "new"
    wanted: bool = True
    error: str = ""
    exit_code: int | None = None
    probes: int = 0

    @property
    def failed(self) -> bool:
        return self.state in ("failed", "rejected")

    def end(self, state: str, error: str = "", exit_code: int | None = None) -> None:
        self.state, self.error, self.exit_code, self.wanted = state, error, exit_code, False


@dataclass
class Unit:
    """A service inside the fake. `since` is the number of its tasks at its last update."""

    id: str
    name: str
    setup: Setup
    previous: Setup | None = None
    version: int = 1
    update: str = ""
    message: str = ""
    since: int = 0
    tasks: list[Try] = field(default_factory=list)
    resumed: set[str] = field(default_factory=set)
    """Tasks on lost nodes that its update does not wait for any more."""


@dataclass
class _Failure:
    verb: str
    error: BaseException
    left: int
    after: bool


class FakeCluster:
    """`sleep` is called to wait: pass a fake clock's. `calls` has (verb, target) of each change.

    `cut`: no call reaches it. `managers` are the nodes on which `exec` can run commands. `lost` are nodes that are down.
    """

    def __init__(self, address: str = "fake://manager", sleep: Callable[[float], None] = lambda _: None) -> None:
        self.address = address
        self.calls: list[tuple[str, ...]] = []
        self.units: dict[str, Unit] = {}
        self.networks: dict[str, NetworkSpec] = {}
        self.files: dict[str, tuple[str, Mapping[str, str]]] = {}
        """The content and the labels of secrets and configs, by name."""
        self.fingerprint = hashlib.sha256(address.encode()).hexdigest()
        self.nodes = list(NODES)
        self.managers = set(NODES)
        self.lost: set[str] = set()
        self.cut = False
        self.login: str | None = None
        self.behaviours: dict[Digest, Behaviour] = {}
        self.offered: set[ImageRef] = set()
        self.refused: dict[Digest, set[str]] = {}
        self._failures: list[_Failure] = []
        self._sleep, self._count = sleep, 0

    # ------------------------------------------------------------ configured by a test
    def behave(self, digest: Digest, behaviour: Behaviour) -> None:
        self.behaviours[digest] = behaviour

    def offer(self, image: ImageRef) -> None:
        """Add the image to the registry: nodes can pull it."""
        self.offered.add(image)

    def refuse(self, digest: Digest, *nodes: str) -> None:
        """Let these nodes fail to pull an image."""
        self.refused.setdefault(digest, set()).update(nodes)

    def fail(self, verb: str, error: BaseException, nth: int = 1, *, after: bool = False) -> None:
        """Make the n-th call of `verb` from now raise `error`, before or `after` it did its work. `*` is any change."""
        self._failures.append(_Failure(verb, error, nth, after))

    def lose(self, node: str) -> None:
        """Let a node go down: the swarm starts its tasks on others."""
        self.lost.add(node)

    def meddle(self, name: str, image: ImageRef | None = None, **settings: object) -> None:
        """Change settings of a service, as a person does by hand."""
        unit = self.unit(name)
        spec = replace(unit.setup.spec, image=image or unit.setup.spec.image)
        self._update(unit, replace(unit.setup, spec=spec, settings={**unit.setup.settings, **settings}))

    def unit(self, reference: str) -> Unit:
        """Return the fake's own service, by id or name."""
        found = self._get(reference)
        if found is None:
            raise EngineError(f"there is no service {reference} in the swarm", hint="it was removed meanwhile: try again")
        return found

    def verbs(self, *wanted: str) -> list[tuple[str, ...]]:
        """Return the calls of these verbs, in order."""
        return [call for call in self.calls if call[0] in wanted]

    # ------------------------------------------------------------ the swarm
    def identify(self) -> EngineIdentity:
        self._reached()
        return EngineIdentity(self.fingerprint, "swarm fake", "0.0.0", keeps_containers=True)

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        self._reached()
        return {unit.name: _labels(unit) for unit in self.units.values()}

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        def act() -> None:
            found = self.networks.setdefault(spec.name, spec)
            if not is_owned(found.labels, owner):
                raise not_ours("network", spec.name, found.labels, owner)

        self._do(act, "ensure_network", spec.name)

    def has_image(self, image: ImageRef) -> bool:
        return False

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        self._reached()

    # ------------------------------------------------------------ services as containers
    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        self._reached()
        units = sorted(self.units.values(), key=lambda unit: unit.name)
        return tuple(self._container(unit) for unit in units if is_owned(_labels(unit), labels))

    def inspect(self, reference: str) -> Container | None:
        self._reached()
        unit = self._get(reference)
        if unit is None:
            return None
        self._proceed(unit)
        return self._container(unit)

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        self._reached()
        unit = self._get(container)
        if unit is None:
            return None
        image = unit.setup.spec.image
        return Observation(_settings(spec), dict(unit.setup.settings), frozenset({image.digest}), str(image))

    def read(self, container: str, path: str) -> str | None:
        self._reached()
        return None

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        self._reached()
        return self.unit(container).setup.spec.image.digest

    def remove(self, container: str, *, volumes: bool = False) -> None:
        unit = self._get(container)
        self._do(lambda: self.units.pop(unit.id, None) if unit else None, "remove", unit.name if unit else container)

    # ------------------------------------------------------------ jobs
    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        def act() -> str:
            owner = {k: v for k, v in spec.labels.items() if k in ("dev.promoter.pipeline", "dev.promoter.environment")}
            self._ensure(spec.files, owner, secrets)
            return self._add(replace(self._setup(spec, secrets), kind="job"))

        return self._do(act, "create", spec.name)

    def start(self, container: str) -> None:
        self._reached()

    def wait(self, container: str, timeout: float) -> int | None:
        seen = self.inspect(container)
        if seen is None:
            raise EngineError(f"job {container} is gone: it was removed from outside")
        if seen.running:
            self._sleep(timeout)
            seen = self.inspect(container) or seen
        return None if seen.running else seen.exit_code

    def spread(self, spec: ContainerSpec) -> str:
        return self._do(lambda: self._add(Setup(spec, _settings(spec), kind="pull")), "spread", spec.name)

    # ------------------------------------------------------------ services
    def service(self, name: str) -> ClusterService | None:
        self._reached()
        unit = self._get(name)
        if unit is None:
            return None
        self._proceed(unit)
        return self._seen(unit)

    def apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool = False) -> str:
        return self._do(lambda: self._apply(spec, secrets, restart=restart), "apply", spec.name)

    def _apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool) -> str:
        wanted, unit = self._setup(spec, secrets), self._get(spec.name)
        if unit is None:
            return self._add(wanted)
        return self._update(unit, replace(wanted, force=unit.setup.force + restart))

    def revert(self, spec: ContainerSpec, failed: str, secrets: Secrets, *, quickly: bool = False) -> str:
        def act() -> str:
            unit = self._get(spec.name)
            known = (unit.setup, unit.previous) if unit else ()
            found = next((one for one in known if one and one.promotion != failed and _is_same(one, spec)), None)
            if unit is None or found is None:
                return self._apply(spec, secrets, restart=False)
            return self._update(unit, replace(found, settings={**found.settings, **_pace(spec, quickly=quickly)}))

        return self._do(act, "revert", spec.name, *(["quickly"] if quickly else []))

    def again(self, name: str) -> None:
        unit = self.unit(name)
        self._do(lambda: unit.resumed.update(self._hanging(unit)), "again", name)

    # ------------------------------------------------------------ files
    def ensure_files(self, files: Sequence[FileContent], labels: Mapping[str, str], secrets: Secrets) -> None:
        self._do(lambda: self._ensure(files, labels, secrets), "ensure_files", *(file.name for file in files))

    def _ensure(self, files: Sequence[FileContent], labels: Mapping[str, str], secrets: Secrets) -> None:
        for file in files:
            if file.name not in self.files:
                self.files[file.name] = (secrets.reveal(file.content), dict(labels))
            elif not is_owned(self.files[file.name][1], labels):
                raise not_ours("secret" if file.secret else "config", file.name, self.files[file.name][1], labels)

    def missing_files(self, files: Sequence[FileContent]) -> tuple[FileContent, ...]:
        self._reached()
        return tuple(file for file in files if file.name not in self.files)

    def remove_files(self, labels: Mapping[str, str], keep: Collection[str]) -> tuple[str, ...]:
        def act() -> tuple[str, ...]:
            used = {file.name for unit in self.units.values() for file in unit.setup.spec.files}
            gone = [name for name, (_, own) in self.files.items() if is_owned(own, labels) and name not in {*keep, *used}]
            for name in gone:
                del self.files[name]
            return tuple(sorted(gone))

        return self._do(act, "remove_files")

    def login_note(self, image: ImageRef) -> str | None:
        return self.login

    # ------------------------------------------------------------ tasks
    def logs(self, container: str, tail: int) -> str:
        self._reached()
        unit = self._get(container)
        if unit is None:
            return ""
        if unit.setup.kind != "service":
            return "\n".join(filter(None, (self.task_logs(task.id, tail) or task.error for task in unit.tasks[-1:])))
        wanted = [task for task in _ordered(unit) if task.wanted and task.node]
        return "".join(f"{_name(unit, t)} on {t.node} | {line}\n" for t in wanted for line in self._lines(t)[-tail:])

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        self._reached()
        lines = [line for task in self.unit(container).tasks for line in self._lines(task)]
        fresh = lines[int(since) :] if since else lines[-tail:]
        return LogPart("".join(f"{line}\n" for line in fresh), str(len(lines)) if lines else since)

    def task_logs(self, task: str, tail: int) -> str:
        self._reached()
        found = next((one for unit in self.units.values() for one in unit.tasks if one.id == task), None)
        return "" if found is None else "".join(f"{line}\n" for line in self._lines(found)[-tail:])

    def exec(
        self, service: str, replica: int, command: Sequence[str], timeout: float, output: Output | None = None
    ) -> ExecResult:
        self._reached()
        self.calls.append(("exec", service, str(replica), *command))
        unit = self._get(service)
        running = [task for task in _ordered(unit) if task.wanted and task.state == "running"] if unit else []
        reachable = [task for task in running if task.node in self.managers]
        if not 1 <= replica <= len(reachable):
            where = ", ".join(sorted({task.node for task in running})) or "no node"
            raise EngineError(
                f"the managers that `engine` names run {len(reachable)} tasks of {service}, and number {replica} was asked for: "
                f"it runs on {where}",
                hint="a manager cannot run a command on another node: name a manager that runs the service",
            )
        result = self._behaviour(reachable[replica - 1]).exec.get(tuple(command), ExecResult(0, ""))
        for line in result.output.splitlines(keepends=True) if output is not None else ():
            output("stdout", line) if output is not None else None
        return result

    def _lines(self, task: Try) -> list[str]:
        started = task.state in ("running", "failed", "complete") and task.setup.kind != "pull"
        return self._behaviour(task).logs.splitlines() if started else []

    # ------------------------------------------------------------ what each read does
    def _proceed(self, unit: Unit) -> None:
        for task in [task for task in unit.tasks if task.wanted]:
            self._advance(unit, task)
        fresh = [task for task in unit.tasks[unit.since :] if task.failed]
        if unit.update == "updating" and fresh:
            unit.update, unit.message = "paused", f"update paused matching to failure or early termination of task {fresh[0].id}"
        self._fill(unit)
        current = [task for task in unit.tasks if task.wanted]
        if self._hanging(unit):
            return
        if unit.update == "updating" and all(not _is_stale(unit, task) and task.state == "running" for task in current):
            unit.update, unit.message = "completed", "update completed"

    def _advance(self, unit: Unit, task: Try) -> None:
        if task.node in self.lost:
            task.wanted = False  # what it showed last stays
        elif task.state == "pending":
            task.node = self._node(unit)
            task.state, task.error = ("new", "") if task.node else ("pending", task.error)
        elif task.state == "preparing" and self._is_refused(task):
            image = task.setup.spec.image
            task.end("rejected", f"No such image: {image.repository}@{image.digest}")
        elif task.state in ("starting", "running"):
            self._run(task)
        else:
            task.state = _STEPS.get(task.state, task.state)

    def _is_refused(self, task: Try) -> bool:
        image = task.setup.spec.image
        return image not in self.offered or task.node in self.refused.get(image.digest, ())

    def _run(self, task: Try) -> None:
        behaviour, kind = self._behaviour(task), task.setup.kind
        code = behaviour.job if kind == "job" and behaviour.exit_code is None else behaviour.exit_code
        task.probes += 1
        if behaviour.fails_to_start or kind == "pull":
            task.end("failed", behaviour.fails_to_start or "no such file or directory", 127)
        elif code is not None:
            task.end("failed" if code else "complete", f"task: non-zero exit ({code})" if code else "", code)
        elif task.probes <= behaviour.failing_probes:
            task.state = "starting"
        elif behaviour.health != "healthy":
            task.end("failed", "task: non-zero exit (137): dockerexec: unhealthy container", 137)
        else:
            task.state = "running"

    def _fill(self, unit: Unit) -> None:
        """Make the tasks that are missing, and replace the next ones of an update."""
        if unit.setup.kind != "service":
            nodes = self._allowed(unit) if unit.setup.kind == "pull" else [self._node(unit)]
            for node in nodes if not unit.tasks else ():
                self._try(unit, 0, node)
            return
        deploy = unit.setup.spec.service.deploy
        spread_out = deploy.mode == "global"
        positions: list[tuple[int, str]] = [(0, node) for node in self._allowed(unit)]
        if not spread_out:
            positions = [(slot, "") for slot in range(1, self._replicas(unit) + 1)]
        there = {(task.slot, task.node if spread_out else ""): task for task in unit.tasks if task.wanted}
        for position, task in there.items():
            if position not in positions:
                task.end("shutdown")
        for position in positions:
            if position not in there:
                self._try(unit, position[0], position[1] or self._node(unit))
        self._replace(unit)

    def _replace(self, unit: Unit) -> None:
        wanted = [task for task in unit.tasks if task.wanted]
        stale = [task for task in wanted if _is_stale(unit, task)]
        busy = [task for task in wanted if not _is_stale(unit, task) and task.state != "running"]
        if unit.update != "updating" or busy or self._hanging(unit):
            return
        for task in stale[: unit.setup.parallelism or None]:
            task.end("shutdown")
            self._try(unit, task.slot, task.node if task.slot == 0 else self._node(unit))

    def _hanging(self, unit: Unit) -> set[str]:
        """Return the tasks on lost nodes that an update waits for: it does not notice that others were made instead."""
        mine = [task for task in unit.tasks[unit.since :] if task.node in self.lost and task.state in _UNFINISHED]
        return {task.id for task in mine} - unit.resumed

    def _try(self, unit: Unit, slot: int, node: str) -> None:
        self._count += 1
        task = Try(f"task{self._count}", slot, node, unit.setup)
        if not node:
            task.state, task.error = "pending", "no suitable node (scheduling constraints not satisfied on any node)"
        unit.tasks.append(task)

    def _allowed(self, unit: Unit) -> list[str]:
        """Return the nodes on which it may run. Of constraints, only those about `node.hostname` are known."""
        found = [node for node in self.nodes if node not in self.lost]
        for constraint in unit.setup.spec.service.deploy.placement.constraints:
            key, equal, value = (part.strip() for part in constraint.partition("!=" if "!=" in constraint else "=="))
            if key == "node.hostname":
                found = [node for node in found if (node == value) == (equal == "==")]
        return found

    def _node(self, unit: Unit) -> str:
        """Return the allowed node with the fewest of its tasks; empty if none is free."""
        most = unit.setup.spec.service.deploy.placement.max_replicas_per_node or 1_000_000
        count = {node: sum(t.wanted and t.node == node for t in unit.tasks) for node in self._allowed(unit)}
        return min((node for node in count if count[node] < most), key=lambda node: count[node], default="")

    def _replicas(self, unit: Unit) -> int:
        return unit.setup.spec.service.replicas

    # ------------------------------------------------------------ inside
    def _do(self, act: Callable[[], T], verb: str, *what: str) -> T:
        self._reached()
        self.calls.append((verb, *what))
        matching = [one for one in self._failures if one.verb in (verb, "*" if verb in CHANGES else verb)]
        for one in matching:
            one.left -= 1
        matching = [one for one in matching if one.left == 0]
        self._failures = [one for one in self._failures if one not in matching]
        for one in matching:
            if not one.after:
                raise one.error
        result = act()
        for one in matching:
            raise one.error
        return result

    def _reached(self) -> None:
        if self.cut:
            error = EngineError("no manager of the swarm answers: the connection was cut")
            error.lost = True
            raise error

    def _get(self, reference: str) -> Unit | None:
        return self.units.get(reference) or next((unit for unit in self.units.values() if unit.name == reference), None)

    def _setup(self, spec: ContainerSpec, secrets: Secrets) -> Setup:
        return Setup(spec, revealed_body(_settings(spec), secrets.reveal))

    def _add(self, setup: Setup) -> str:
        what = f"service {setup.spec.name} could not be created"
        if self._get(setup.spec.name) is not None:
            raise StartError(f"{what}: name conflicts with an existing object")
        self._require(setup, what)
        self._count += 1
        identifier = hashlib.sha256(f"{self.address} {self._count}".encode()).hexdigest()[:25]
        self.units[identifier] = Unit(identifier, setup.spec.name, setup)
        return identifier

    def _update(self, unit: Unit, setup: Setup) -> str:
        unlabelled = replace(setup, made_by=unit.setup.of_tasks)
        if unlabelled.template == unit.setup.template:
            setup = unlabelled  # only the service changes, and its tasks stay
        same = (setup.template, setup.settings, setup.promotion) == (
            unit.setup.template,
            unit.setup.settings,
            unit.setup.promotion,
        )
        if not same:
            self._require(setup, f"service {unit.name} could not be updated")
            unit.previous, unit.setup = unit.setup, setup
            unit.version, unit.since = unit.version + 1, len(unit.tasks)
            stale = any(task.wanted and _is_stale(unit, task) for task in unit.tasks)
            unit.update, unit.message = "updating" if stale else "", ""
        return unit.id

    def _require(self, setup: Setup, what: str) -> None:
        missing = next((file for file in setup.spec.files if file.name not in self.files and setup.kind != "pull"), None)
        if missing is not None:
            raise StartError(f"{what}: {'secret' if missing.secret else 'config'} {missing.name} not found")
        unknown = next((name for name in setup.spec.service.networks if name not in self.networks), None)
        if unknown is not None and setup.kind != "pull":
            raise StartError(f"{what}: network {unknown} not found")

    def _behaviour(self, task: Try) -> Behaviour:
        return self.behaviours.get(task.setup.spec.image.digest, Behaviour())

    def _seen(self, unit: Unit) -> ClusterService:
        spec = unit.setup.spec
        wanted = [task for task in unit.tasks if task.wanted]
        replicated = unit.setup.kind == "service" and spec.service.deploy.mode == "replicated"
        count = spec.service.replicas if replicated else len(wanted)
        return ClusterService(
            id=unit.id,
            name=unit.name,
            labels=_labels(unit),
            update=unit.update,
            message=unit.message,
            wanted=count if unit.tasks else 0,
            running=sum(task.state == "running" for task in wanted),
            tasks=tuple(self._task(unit, task) for task in _ordered(unit)),
            template=unit.setup.of_tasks,
            replicas=spec.service.replicas if replicated else None,
        )

    def _task(self, unit: Unit, task: Try) -> Task:
        name, lost = _name(unit, task), task.node in self.lost
        return Task(task.id, name, task.node, task.state, task.wanted, task.setup.of_tasks, task.error, task.exit_code, lost)

    def _container(self, unit: Unit) -> Container:
        found, job = self._seen(unit), unit.setup.kind != "service"
        newest = unit.tasks[-1] if unit.tasks else None
        ended = newest if job and newest is not None and (newest.failed or newest.state == "complete") else None
        code = 0 if ended is None or ended.state == "complete" else ended.exit_code or NOT_STARTED
        short = "" if job else shortfall(found)
        check = unit.setup.spec.service.healthcheck
        checked = check is not None and check.test not in (None, ("NONE",)) and not check.disable
        return Container(
            id=unit.id,
            name=unit.name,
            labels=found.labels,
            status="exited" if ended else "degraded" if short else "running",
            exit_code=code,
            oom_killed=False,
            restart_count=0,
            started_at="",
            health="healthy" if checked and not job and not short else None,
            health_log=(),
            healthcheck=None,
            published={},
            error=ended.error if ended else "",
            shortfall=short,
        )


def _settings(spec: ContainerSpec) -> dict[str, Any]:
    """Return the settings by path, with the handles of secrets."""
    document = spec.service.document()
    found = {path: value for path, value in document.items() if path not in _NOT_SETTINGS}
    found |= {f"environment.{name}": value for name, value in document.get("environment", {}).items()}
    found |= {f"labels.{name}": value for name, value in document.get("labels", {}).items()}
    deploy = document.get("deploy", {})
    found |= {f"deploy.labels.{name}": value for name, value in deploy.pop("labels", {}).items()}
    found |= {f"deploy.{name}": value for name, value in deploy.items()}
    for file in spec.files:
        kind = "secrets" if file.secret else "configs"
        found[f"{kind}.{file.name}"] = {"target": file.path, "uid": file.uid, "gid": file.gid, "mode": file.mode}
    return {**found, **_pace(spec, quickly=False)}


def _pace(spec: ContainerSpec, *, quickly: bool) -> dict[str, object]:
    deploy = spec.service.deploy
    pace = deploy.rollback_config if quickly and deploy.rollback_config else deploy.update_config
    return {"deploy.update_config": (pace or UpdateConfig()).model_dump(mode="json")}


def _is_same(setup: Setup, spec: ContainerSpec) -> bool:
    """Return whether it is the configuration of `spec`, however fast its tasks are replaced, and whatever the secrets are."""
    wanted, found = _settings(spec), {**setup.settings, **_pace(spec, quickly=False)}
    same = wanted.keys() == found.keys() and all(OPENING in str(v) or found[path] == v for path, v in wanted.items())
    return same and setup.spec.image == spec.image


def _marks(setup: Setup) -> object:
    return setup.template, setup.settings, setup.promotion


def _is_stale(unit: Unit, task: Try) -> bool:
    return task.setup.template != unit.setup.template


def _labels(unit: Unit) -> dict[str, str]:
    return {**unit.setup.spec.service.deploy.labels, **unit.setup.spec.labels}


def _ordered(unit: Unit) -> list[Try]:
    return sorted(unit.tasks, key=lambda task: task.slot)


def _name(unit: Unit, task: Try) -> str:
    return f"{unit.name}.{task.slot}" if task.slot else unit.name
