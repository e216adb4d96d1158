"""DockerSwarm: the Cluster port, put together from its parts."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from promoter.adapters.engine.create_body import revealed_body
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm import view
from promoter.adapters.swarm.files import Files
from promoter.adapters.swarm.identity import identity_of
from promoter.adapters.swarm.managers import Managers
from promoter.adapters.swarm.service_body import job_body, pull_body
from promoter.adapters.swarm.services import Services, digest_in
from promoter.adapters.swarm.tasks import Tasks
from promoter.model.errors import CallerError, EngineError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.labels import LABEL
from promoter.model.ownership import is_owned
from promoter.promotion.ports.cluster import ClusterService
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

Json = Mapping[str, Any]
_POLL = 0.2
_SHORT_LIVED = frozenset(
    {"AWS", "oauth2accesstoken", "gitlab-ci-token", "x-access-token", "00000000-0000-0000-0000-000000000000"}
)
"""Users under which registries give out logins for hours: Amazon, Google, GitLab's jobs, GitHub's workflows, Azure."""


class DockerSwarm:
    """A swarm, asked through its managers."""

    def __init__(
        self,
        engines: Sequence[DockerEngine],
        sleep: Callable[[float], None] = time.sleep,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._managers = Managers(engines, sleep, check)
        self._files = Files(self._managers)
        self._services = Services(self._managers, self._files)
        self._tasks = Tasks(self._managers, self._services)
        self._sleep = sleep
        self._compared = False
        self.address = self._managers.address

    # ------------------------------------------------------------ the swarm
    def identify(self) -> EngineIdentity:
        found = self._managers.on(identity_of)
        if not self._compared and len(self._managers.engines) > 1:
            self._require_one_swarm()
            self._compared = True
        return found

    def _require_one_swarm(self) -> None:
        """Raise CallerError if the addresses are of managers of different swarms. Managers that do not answer are left out."""
        swarms: dict[str, str] = {}
        for engine in self._managers.engines:
            try:
                swarms.setdefault(identity_of(engine).fingerprint, engine.address)
            except EngineError:
                continue
        if len(swarms) > 1:
            first, second, *_ = swarms.values()
            raise CallerError(f"{first} and {second} are managers of two swarms", hint="name managers of one swarm in `engine`")

    def nodes(self) -> tuple[int, int]:
        """Return how many nodes are ready and active, and how many there are."""
        found = self._managers.ask("nodes could not be listed", "GET", "/nodes").json() or []
        ready = [one for one in found if one["Status"]["State"] == "ready" and one["Spec"]["Availability"] == "active"]
        return len(ready), len(found)

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        return {one["Spec"]["Name"]: one["Spec"].get("Labels") or {} for one in self._services.documents({})}

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        self._managers.on(lambda engine: engine.ensure_network(spec, owner))

    def has_image(self, image: ImageRef) -> bool:
        del image  # each node has its own images
        return False

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        """Do nothing: a node pulls when it starts a task."""

    # ------------------------------------------------------------ services as containers
    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        documents = self._services.documents({"label": [f"{key}={value}" for key, value in labels.items()]})
        owned = [one for one in documents if is_owned(one["Spec"].get("Labels") or {}, labels)]
        seen = self._services.seen(owned)
        return tuple(view.container(found, document) for found, document in zip(seen, owned, strict=True))

    def inspect(self, reference: str) -> Container | None:
        document = self._services.document(reference)
        return None if document is None else view.container(self._services.seen([document])[0], document)

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        document = self._services.document(container)
        return None if document is None else self._services.changed(spec, document)

    def read(self, container: str, path: str) -> str | None:
        del container, path  # the file is on a node that may not be reachable from here
        return None

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        del repository, expected
        document = self._services.document(container)
        if document is None:
            raise EngineError(f"there is no service {container} in the swarm", hint="it was removed meanwhile: try again")
        return digest_in(document)

    def remove(self, container: str, *, volumes: bool = False) -> None:
        del volumes  # volumes are on the nodes, and may hold data
        self._services.remove(container)

    # ------------------------------------------------------------ jobs
    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        self.ensure_files(spec.files, _owner(spec), secrets)
        body: dict[str, Any] = revealed_body(job_body(spec, self._files.ids(spec.files)), secrets.reveal)
        return self._services.create_once(body, spec.image)

    def start(self, container: str) -> None:
        del container  # the swarm starts the task of a job by itself

    def wait(self, container: str, timeout: float) -> int | None:
        ends = time.monotonic() + timeout
        while True:
            seen = self.inspect(container)
            if seen is None:
                raise EngineError(f"job {container} is gone: it was removed from outside", hint="run the same command again")
            if not seen.running:
                return seen.exit_code
            if time.monotonic() >= ends:
                return None
            self._sleep(min(_POLL, timeout))

    def spread(self, spec: ContainerSpec) -> str:
        return self._services.create_once(pull_body(spec), spec.image)

    # ------------------------------------------------------------ services
    def service(self, name: str) -> ClusterService | None:
        document = self._services.document(name)
        return None if document is None else self._services.seen([document])[0]

    def apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool = False) -> str:
        return self._services.apply(spec, secrets, restart=restart)

    def revert(self, spec: ContainerSpec, failed: str, secrets: Secrets, *, quickly: bool = False) -> str:
        return self._services.revert(spec, failed, secrets, quickly=quickly)

    def again(self, name: str) -> None:
        self._services.again(name)

    # ------------------------------------------------------------ files
    def ensure_files(self, files: Sequence[FileContent], labels: Mapping[str, str], secrets: Secrets) -> None:
        self._files.ensure(files, labels, secrets.reveal)

    def missing_files(self, files: Sequence[FileContent]) -> tuple[FileContent, ...]:
        return self._files.missing(files)

    def remove_files(self, labels: Mapping[str, str], keep: Collection[str]) -> tuple[str, ...]:
        return self._files.remove(labels, keep)

    def login_note(self, image: ImageRef) -> str | None:
        host = image.repository.host
        if self._managers.engines[0].login_name(host) not in _SHORT_LIVED:
            return None
        return f"the login for {host} is usually valid for hours only: a node that must pull an image later is refused then"

    # ------------------------------------------------------------ tasks
    def logs(self, container: str, tail: int) -> str:
        return self._tasks.logs(container, tail)

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        return self._tasks.log_since(container, tail, since)

    def task_logs(self, task: str, tail: int) -> str:
        return self._tasks.task_logs(task, tail)

    def exec(
        self, service: str, replica: int, command: Sequence[str], timeout: float, output: Output | None = None
    ) -> ExecResult:
        return self._tasks.exec(service, replica, command, timeout, output)


def _owner(spec: ContainerSpec) -> dict[str, str]:
    """Return the labels of the environment, which its secrets and configs have."""
    return {key: spec.labels[key] for key in (f"{LABEL}.pipeline", f"{LABEL}.environment") if key in spec.labels}
