"""An engine in memory that passes the contract suite. A test configures how images behave, and reads the log of calls.

engine = FakeEngine()
engine.offer(image)                                   # a registry has it: it can be pulled
engine.behave(image.digest, Behaviour(exit_code=3))   # its containers exit at once
engine.fail("start", StartError("port taken"))        # the next start raises this error
"""

import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from promoter.model.errors import EngineError, PullError, PushError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.labels import Role, role_of
from promoter.model.ownership import is_owned, not_ours
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.container import (
    Container,
    ContainerSpec,
    EngineIdentity,
    ExecResult,
    HealthProbe,
    ListeningPort,
    LogPart,
    NetworkSpec,
    Observation,
    Output,
    Progress,
    PublishedPort,
    VolumeSpec,
)
from promoter.promotion.ports.secrets import Secrets

S = TypeVar("S", NetworkSpec, VolumeSpec)
TOO_LONG = ExecResult(124, "not done within its time", timed_out=True)


@dataclass(frozen=True)
class Behaviour:
    """How containers of an image behave.

    `exit_code`: containers exit with it at once; None means they keep running. `health` is the result of the healthcheck
    after `looks` inspections. `fails_to_start` is the engine's reason. `exec` has the results of commands; other commands
    succeed, except the healthcheck's own, which follows `health`. `healthcheck` is the image's own test.
    """

    exit_code: int | None = None
    job: int = 0
    """The exit code of a job, if the image's containers keep running."""
    health: str = "healthy"
    failing_probes: int = 0
    fails_to_start: str | None = None
    exec: Mapping[tuple[str, ...], ExecResult] = field(default_factory=dict)
    logs: str = ""
    oom_killed: bool = False
    healthcheck: tuple[str, ...] | None = None
    volumes: tuple[str, ...] = ()
    """Paths that the image declares as VOLUME."""


@dataclass
class Box:
    """A container inside the fake. A test may read it, and change it to simulate a fault."""

    id: str
    name: str
    spec: ContainerSpec
    environment: dict[str, str]
    files: dict[str, str]
    status: str = "created"
    exit_code: int = 0
    oom_killed: bool = False
    restart_count: int = 0
    started_at: str = "0001-01-01T00:00:00Z"
    starts: int = 0
    failing_probes: int = 0
    published: dict[str, tuple[str, int]] = field(default_factory=dict)
    error: str = ""
    digest: Digest | None = None
    finished_at: str = ""
    anonymous: dict[str, str] = field(default_factory=dict)


class FakeEngine:
    """`sleep` is called to wait: pass a fake clock's, and `wait` advances it. `calls` has (verb, target) of each change."""

    def __init__(self, address: str = "fake://engine", sleep: Callable[[float], None] = lambda _: None) -> None:
        self.address = address
        self.calls: list[tuple[str, ...]] = []
        self.boxes: dict[str, Box] = {}
        self.networks: dict[str, NetworkSpec] = {}
        self.volumes: dict[str, VolumeSpec] = {}
        self.anonymous: set[str] = set()
        self.held: set[ImageRef] = set()
        self.offered: set[ImageRef] = set()
        self.tags: dict[str, Digest] = {}
        self.listening: list[ListeningPort] = []
        self.behaviours: dict[Digest, Behaviour] = {}
        self.fingerprint = hashlib.sha256(address.encode()).hexdigest()
        self._failures: dict[str, deque[BaseException]] = defaultdict(deque)
        self._sleep = sleep
        self._count = 0
        self._lock = threading.RLock()

    # ------------------------------------------------------------ configured by a test
    def behave(self, digest: Digest, behaviour: Behaviour) -> None:
        self.behaviours[digest] = behaviour

    def offer(self, image: ImageRef) -> None:
        """Add the image to the registry: it can be pulled."""
        self.offered.add(image)

    def hold(self, image: ImageRef) -> None:
        """Add the image to the engine."""
        self.held.add(image)

    def tag(self, repository: Repository, tag: str, digest: Digest) -> None:
        """Record the image as built here: it can be pushed."""
        self.tags[f"{repository}:{tag}"] = digest

    def fail(self, verb: str, error: BaseException) -> None:
        """Make the next call of `verb` raise `error`; several are queued."""
        self._failures[verb].append(error)

    def crash(self, reference: str, exit_code: int = 1) -> None:
        """End a running container."""
        box = self._need(reference)
        box.status, box.exit_code = "exited", exit_code

    def box(self, reference: str) -> Box:
        """Return the fake's own container, by id or name."""
        return self._need(reference)

    def verbs(self, *wanted: str) -> list[tuple[str, ...]]:
        """Return the calls of these verbs, in order."""
        return [call for call in self.calls if call[0] in wanted]

    # ------------------------------------------------------------ engine and images
    def identify(self) -> EngineIdentity:
        self._did("identify")
        return EngineIdentity(self.fingerprint, "fake", "0.0.0")

    def has_image(self, image: ImageRef) -> bool:
        return image in self.held

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        self._did("pull", str(image))
        if image not in self.offered and image not in self.held:
            raise PullError(f"{image} could not be pulled: manifest unknown", hint="the registry does not hold this digest")
        progress("layer", "Pull complete", None, None)
        self.held.add(image)

    def push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        name = f"{repository}:{tag}"
        self._did("push", name)
        if name not in self.tags:
            raise PushError(f"{name} could not be pushed: tag does not exist: {name}")
        digest = self.tags[name]
        progress("layer", "Pushed", None, None)
        self.held.add(ImageRef(repository, digest))
        self.offered.add(ImageRef(repository, digest))
        return digest

    def image_id(self, reference: str) -> str | None:
        digest = self.tags.get(reference)
        if digest is None and "@" in reference and ImageRef.parse(reference) in self.held:
            digest = ImageRef.parse(reference).digest
        return None if digest is None else str(_id_of(digest))

    def image_digests(self, image_id: str, repository: Repository) -> tuple[Digest, ...]:
        known = {ref.digest for ref in self.held if ref.repository == repository}
        return tuple(sorted(digest for digest in known if str(_id_of(digest)) == image_id))

    def image_volumes(self, image: ImageRef) -> tuple[str, ...]:
        return self.behaviours.get(image.digest, Behaviour()).volumes if image in self.held else ()

    def published_ports(self) -> tuple[PublishedPort, ...]:
        return tuple(
            PublishedPort(box.name, _labels(box), address, port, name.partition("/")[2] or "tcp")
            for box in self.boxes.values()
            if box.status == "running"
            for name, (address, port) in box.published.items()
        )

    def listening_ports(self, ports: Collection[int]) -> tuple[ListeningPort, ...]:
        return tuple(one for one in self.listening if one.port in ports)

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        return {box.name: _labels(box) for box in self.boxes.values()}

    def remove_image(self, image: ImageRef) -> bool:
        self._did("remove_image", str(image))
        if image not in self.held or any(box.spec.image == image for box in self.boxes.values()):
            return False
        self.held.discard(image)
        return True

    # ------------------------------------------------------------ networks and volumes
    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        self._did("ensure_network", spec.name)
        self._ensure("network", self.networks, spec, owner)

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        self._did("ensure_volume", spec.name)
        self._ensure("volume", self.volumes, spec, owner)

    def _ensure(self, kind: str, there: dict[str, S], spec: S, owner: Mapping[str, str]) -> None:
        found = there.setdefault(spec.name, spec)
        if not is_owned(found.labels, owner):
            raise not_ours(kind, spec.name, found.labels, owner)

    # ------------------------------------------------------------ containers
    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        wanted = labels.items()
        boxes = sorted(self.boxes.values(), key=lambda box: box.name)
        return tuple(self._show(box) for box in boxes if wanted <= _labels(box).items())

    def inspect(self, reference: str) -> Container | None:
        with self._lock:
            box = self._get(reference)
            return None if box is None else self._show(box, probe=True)

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        box = self._get(container)
        if box is None:
            return None
        wanted = {**_settings(spec.service), **_variables(spec.service.environment)}
        found = {**_settings(box.spec.service), **_variables(box.environment)}
        return Observation(wanted, found, frozenset({box.digest or box.spec.image.digest}), str(box.spec.image))

    def read(self, container: str, path: str) -> str | None:
        box = self._get(container)
        return None if box is None else box.files.get(path)

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        with self._lock:
            self._did("create", spec.name)
            what = f"container {spec.name} could not be created"
            if self._get(spec.name) is not None:
                raise StartError(f"{what}: the name is already in use by container {self._need(spec.name).id}")
            if spec.image not in self.held:
                raise StartError(f"{what}: No such image: {spec.image}")
            if spec.files and spec.service.read_only:
                raise StartError(f"{what}: secrets and configs cannot be placed in a container with `read_only: true`")
            self._count += 1
            identifier = hashlib.sha256(f"{self.address} {self._count}".encode()).hexdigest()
            environment = {name: secrets.reveal(value) for name, value in spec.service.environment.items()}
            files = {file.path: secrets.reveal(file.content) for file in spec.files}
            self.boxes[identifier] = Box(identifier, spec.name, spec, environment, files, anonymous=self._anonymous(spec))
            return identifier

    def _anonymous(self, spec: ContainerSpec) -> dict[str, str]:
        """Return inherited volumes, and new ones for those that image and service declare."""
        mounted = {mount.target for mount in spec.service.volumes if mount.source is not None}
        asked = [m.target for m in spec.service.volumes if m.type == "volume" and m.source is None]
        paths = dict.fromkeys((*asked, *self.image_volumes(spec.image), *spec.inherited))
        found = {}
        for path in paths:
            if path not in mounted:
                new = hashlib.sha256(f"{self.address} {self._count} {path}".encode()).hexdigest()
                found[path] = spec.inherited.get(path, new)
                self.anonymous.add(found[path])
        return found

    def start(self, container: str) -> None:
        with self._lock:
            box = self._get(container)
            self._did("start", box.name if box else container)
            if box is None:
                raise StartError(f"container {container} could not be started: No such container: {container}")
            if box.status == "running":
                return
            behaviour = self._behaviour(box)
            box.error = behaviour.fails_to_start or self._obstacle(box) or ""
            if box.error:
                raise StartError(f"container {box.name} could not be started: {box.error}")
            self._run(box, behaviour)

    def _run(self, box: Box, behaviour: Behaviour) -> None:
        box.starts += 1
        box.failing_probes = 0
        box.started_at = datetime.fromtimestamp(1_700_000_000 + len(self.calls), UTC).isoformat()
        box.published = self._ports(box)
        is_job = role_of(box.spec.labels) == Role.JOB
        code = behaviour.job if is_job and behaviour.exit_code is None else behaviour.exit_code
        box.status = "running" if code is None else "exited"
        box.exit_code = code or 0
        box.oom_killed = behaviour.oom_killed

    def stop(self, container: str, grace: timedelta | None) -> None:
        with self._lock:
            box = self._need(container)
            self._did("stop", box.name)
            if box.status == "running":
                box.status, box.exit_code, box.published = "exited", 143, {}

    def rename(self, container: str, name: str) -> None:
        with self._lock:
            box = self._need(container)
            self._did("rename", box.name, name)
            other = self._get(name)
            if other is not None and other is not box:
                raise EngineError(f"container {container} could not be renamed to {name}: the name is in use")
            box.name = name

    def remove(self, container: str, *, volumes: bool = False) -> None:
        with self._lock:
            box = self._get(container)
            self._did("remove", box.name if box else container)
            if box is not None:
                del self.boxes[box.id]
                used = {name for other in self.boxes.values() for name in other.anonymous.values()}
                own = set(box.anonymous.values()) - set(box.spec.inherited.values()) - used if volumes else set()
                self.anonymous -= own

    def exec(self, container: str, command: Sequence[str], timeout: float, output: Output | None = None) -> ExecResult:
        result = self._executed(container, command)
        if output is not None and result.output and not result.timed_out:
            for line in result.output.splitlines(keepends=True):
                output("stderr" if result.exit_code in (126, 127) or line.startswith("err") else "stdout", line)
        return result

    def _executed(self, container: str, command: Sequence[str]) -> ExecResult:
        with self._lock:
            box = self._need(container)
            self._did("exec", box.name, *command)
            if box.status != "running":
                raise EngineError(f"nothing can be run in container {container}: Container {box.id} is not running")
            behaviour = self._behaviour(box)
            if tuple(command) in behaviour.exec:
                return behaviour.exec[tuple(command)]
            test = _test(box.spec.service, behaviour)
            if test is not None and tuple(command) == _argv(test):
                healthy = self._health(box) == "healthy"
                box.failing_probes += 1
                return ExecResult(0, "") if healthy else ExecResult(1, "not healthy")
            return ExecResult(0, "")

    def wait(self, container: str, timeout: float) -> int | None:
        box = self._need(container)
        if box.status == "running":
            self._sleep(timeout)
        return None if box.status == "running" else box.exit_code

    def logs(self, container: str, tail: int) -> str:
        box = self._need(container)
        lines = self._behaviour(box).logs.splitlines(keepends=True) if box.starts else []
        return "".join(lines[-tail:])

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        box = self._need(container)
        lines = self._behaviour(box).logs.splitlines(keepends=True) if box.starts else []
        fresh = lines[int(since) :] if since else lines[-tail:]
        return LogPart("".join(fresh), str(len(lines)) if lines else since)

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        box = self._need(container)
        if box.digest is not None:
            return box.digest
        return box.spec.image.digest if box.spec.image.repository == repository else None

    # ------------------------------------------------------------ inside
    def _did(self, verb: str, *what: str) -> None:
        self.calls.append((verb, *what))
        if self._failures[verb]:
            raise self._failures[verb].popleft()

    def _get(self, reference: str) -> Box | None:
        return self.boxes.get(reference) or next((box for box in self.boxes.values() if box.name == reference), None)

    def _need(self, reference: str) -> Box:
        box = self._get(reference)
        if box is None:
            raise EngineError(f"there is no container {reference} on {self.address}")
        return box

    def _behaviour(self, box: Box) -> Behaviour:
        return self.behaviours.get(box.spec.image.digest, Behaviour())

    def _obstacle(self, box: Box) -> str | None:
        missing = next((name for name in box.spec.service.networks if name not in self.networks), None)
        if missing is not None:
            return f"network {missing} not found"
        wanted = {address for address in self._fixed(box) if address}
        running = (other for other in self.boxes.values() if other.status == "running")
        taken = next((address for other in running for address in other.published.values() if address[1] in wanted), None)
        return None if taken is None else f"Bind for {taken[0]}:{taken[1]} failed: port is already allocated"

    def _fixed(self, box: Box) -> list[int]:
        publishes = box.spec.publish and not box.spec.ephemeral_ports
        return [port.published for port in box.spec.service.ports if port.published] if publishes else []

    def _ports(self, box: Box) -> dict[str, tuple[str, int]]:
        published: dict[str, tuple[str, int]] = {}
        if not box.spec.publish and not box.spec.ephemeral_ports:
            return published
        for port in box.spec.service.ports:
            self._count += 1
            chosen = None if box.spec.ephemeral_ports else port.published
            host = "127.0.0.1" if box.spec.ephemeral_ports else port.host_ip or "0.0.0.0"
            if port.protocol == "tcp" or not box.spec.ephemeral_ports:
                published[f"{port.target}/{port.protocol}"] = (host, chosen or 40000 + self._count)
        for entry in box.spec.service.expose if box.spec.ephemeral_ports else ():
            self._count += 1
            published.setdefault(f"{entry.partition('/')[0]}/tcp", ("127.0.0.1", 40000 + self._count))
        return published

    def _health(self, box: Box) -> str | None:
        behaviour = self._behaviour(box)
        if _test(box.spec.service, behaviour) is None or not box.starts:
            return None
        return behaviour.health if box.failing_probes >= behaviour.failing_probes else "starting"

    def _show(self, box: Box, *, probe: bool = False) -> Container:
        health = self._health(box)
        box.failing_probes += probe and box.status == "running"
        code = {"healthy": 0, "unhealthy": 1}.get(health or "")
        log = () if code is None else (HealthProbe(box.started_at, code, "" if code == 0 else "not healthy"),)
        test = _test(box.spec.service, self._behaviour(box))
        return Container(
            box.id,
            box.name,
            _labels(box),
            box.status,
            box.exit_code,
            box.oom_killed,
            box.restart_count,
            box.started_at,
            health,
            log,
            test,
            dict(box.published),
            box.error,
            box.finished_at,
            dict(box.anonymous),
        )


def _settings(service: Service) -> dict[str, object]:
    known = {"command": service.command, "mem_limit": service.mem_limit, "privileged": service.privileged}
    mounts = {f"volumes.{m.target}": {"type": m.type, "source": m.source, "read_only": m.read_only} for m in service.volumes}
    return {path: list(value) if isinstance(value, tuple) else value for path, value in known.items() if value} | mounts


def _variables(environment: Mapping[str, str]) -> dict[str, object]:
    return {f"environment.{name}": value for name, value in environment.items()}


def _labels(box: Box) -> dict[str, str]:
    return {**box.spec.service.labels, **box.spec.labels}


def _test(service: Service, behaviour: Behaviour) -> tuple[str, ...] | None:
    check = service.healthcheck
    if check is not None and (check.disable or check.test == ("NONE",)):
        return None
    return (check.test if check is not None else None) or behaviour.healthcheck


def _argv(test: tuple[str, ...]) -> tuple[str, ...]:
    return ("/bin/sh", "-c", test[1]) if test[0] == "CMD-SHELL" else test[1:]


def _id_of(digest: Digest) -> Digest:
    """Return an image id, which differs from its digest."""
    return Digest(hashlib.sha256(digest.hex.encode()).hexdigest())


def other_digest(image: ImageRef, salt: str = "other") -> ImageRef:
    """Return an image of the same repository with another digest."""
    return replace(image, digest=Digest(hashlib.sha256(f"{image}{salt}".encode()).hexdigest()))
