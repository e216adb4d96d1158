"""A swarm under a lease."""

from collections.abc import Callable, Collection, Mapping, Sequence

from promoter.model.images import ImageRef
from promoter.promotion.execution.fencing import FencedRuntime, watched
from promoter.promotion.ports.cluster import Cluster, ClusterService
from promoter.promotion.ports.container import ContainerSpec, ExecResult, FileContent, Output
from promoter.promotion.ports.secrets import Secrets


class FencedCluster(FencedRuntime):
    """A `Cluster` under a lease."""

    def __init__(self, cluster: Cluster, check: Callable[[], None]) -> None:
        super().__init__(cluster, check)
        self._cluster = cluster

    # ------------------------------------------------------------ changes
    def apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool = False) -> str:
        self._check()
        with watched():
            return self._cluster.apply(spec, secrets, restart=restart)

    def revert(self, spec: ContainerSpec, failed: str, secrets: Secrets, *, quickly: bool = False) -> str:
        self._check()
        with watched():
            return self._cluster.revert(spec, failed, secrets, quickly=quickly)

    def again(self, name: str) -> None:
        self._check()
        with watched():
            self._cluster.again(name)

    def spread(self, spec: ContainerSpec) -> str:
        self._check()
        with watched():
            return self._cluster.spread(spec)

    def ensure_files(self, files: Sequence[FileContent], labels: Mapping[str, str], secrets: Secrets) -> None:
        self._check()
        with watched():
            self._cluster.ensure_files(files, labels, secrets)

    def remove_files(self, labels: Mapping[str, str], keep: Collection[str]) -> tuple[str, ...]:
        self._check()
        with watched():
            return self._cluster.remove_files(labels, keep)

    def exec(
        self, service: str, replica: int, command: Sequence[str], timeout: float, output: Output | None = None
    ) -> ExecResult:
        self._check()
        with watched():
            return self._cluster.exec(service, replica, command, timeout, output)

    # ------------------------------------------------------------ reads
    def service(self, name: str) -> ClusterService | None:
        with watched():
            return self._cluster.service(name)

    def missing_files(self, files: Sequence[FileContent]) -> tuple[FileContent, ...]:
        with watched():
            return self._cluster.missing_files(files)

    def login_note(self, image: ImageRef) -> str | None:
        with watched():
            return self._cluster.login_note(image)

    def task_logs(self, task: str, tail: int) -> str:
        with watched():
            return self._cluster.task_logs(task, tail)
