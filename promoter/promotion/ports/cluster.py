"""Port: a Docker Swarm, through one of its managers."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef
from promoter.promotion.ports.container import ContainerSpec, ExecResult, FileContent, Output
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets


@dataclass(frozen=True)
class Task:
    """One try to run one replica of a service on one node.

    `state` is the swarm's word, such as `preparing`, `running`, `failed` or `rejected`. `wanted` says whether the swarm wants
    it to run; tasks that were replaced are not wanted any more. `promotion` is the one whose configuration it has.
    """

    id: str
    name: str
    node: str
    state: str
    wanted: bool
    promotion: str
    error: str = ""
    exit_code: int | None = None
    lost: bool = False
    """Whether the swarm has lost its node: the state is then the last known one."""

    @property
    def failed(self) -> bool:
        return self.state in ("failed", "rejected")

    @property
    def sentence(self) -> str:
        """Return what is known about the task, for people."""
        where = f"{self.name} on {self.node}" if self.node else self.name
        state = {"failed": "failed", "rejected": "was rejected"}.get(self.state, f"is {self.state}")
        return f"{where} {state}{f': {self.error}' if self.error else ''}"


@dataclass(frozen=True)
class ClusterService:
    """A service of a swarm as its managers show it now.

    `update` is the state of its last update: `updating`, `paused`, `completed`, `rollback_started`, `rollback_paused`,
    `rollback_completed`, or empty if it has none. `wanted` is the number of tasks that are to run, and `running` that of those
    that do.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    update: str
    message: str
    wanted: int
    running: int
    tasks: tuple[Task, ...]
    template: str = ""
    """The promotion that gave its tasks their configuration. A later one may have changed only their number."""
    replicas: int | None = None
    """The replicas that were asked for; None for a service with a task on every node."""


class Cluster(Runtime, Protocol):
    """A swarm. `find` and `inspect` show each service as one container; `create` makes a job: one task that runs once."""

    def service(self, name: str) -> ClusterService | None:
        """Return a service by name or id, with its tasks, the newest of each replica last; None if there is none."""

    def apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool = False) -> str:
        """Create the service, or update it if it differs, and return its id. Raise StartError.

        `restart` replaces its tasks also if nothing differs.
        """

    def revert(self, spec: ContainerSpec, failed: str, secrets: Secrets, *, quickly: bool = False) -> str:
        """Return a service to `spec`, which it had before the promotion `failed`, and return its id. Raise StartError.

        If the swarm still has that configuration, no value of a secret is needed. `quickly` replaces the tasks as its
        `rollback_config` says; a second call without it restores the recorded `update_config`.
        """

    def again(self, name: str) -> None:
        """Make the swarm begin an update again where it was: it waits without end for a task that it started on a lost node."""

    def spread(self, spec: ContainerSpec) -> str:
        """Start a job that makes every node on which `spec` may run pull its image, and return its id. It runs nothing."""

    def ensure_files(self, files: Sequence[FileContent], labels: Mapping[str, str], secrets: Secrets) -> None:
        """Create the secrets and configs that the swarm does not have yet. Raise StartError for one of another owner."""

    def missing_files(self, files: Sequence[FileContent]) -> tuple[FileContent, ...]:
        """Return those that the swarm does not have yet."""

    def remove_files(self, labels: Mapping[str, str], keep: Collection[str]) -> tuple[str, ...]:
        """Remove the secrets and configs with these labels that no service uses, except those in `keep`. Return their names."""

    def login_note(self, image: ImageRef) -> str | None:
        """Return a sentence if the login that the nodes pull an image with is usually valid for a short time only."""

    def task_logs(self, task: str, tail: int) -> str:
        """Return the last lines of one task; empty if its node does not answer."""

    def exec(
        self, service: str, replica: int, command: Sequence[str], timeout: float, output: Output | None = None
    ) -> ExecResult:
        """Run a command in a replica, counted from 1, on one of the managers. Raise EngineError if none of them runs one."""
