"""The interface of a rollout strategy: how services of an environment are replaced, and how a replacement is undone."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol, Self

from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.labels import Namespace, Slot
from promoter.model.release import Release
from promoter.pipeline.model import Environment
from promoter.promotion.container_spec import ContainerRequest, Swapped
from promoter.promotion.execution.failure import Evidence
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Step


@dataclass(frozen=True)
class Earlier:
    """What ran before, as recorded: its services in the order in which they start, and their containers."""

    release: str
    services: tuple[str, ...]
    order: Callable[[str], ContainerRequest]
    slots: Callable[[str], tuple[Slot, ...]]
    containers: Mapping[str, frozenset[str]]
    verify: Callable[[], tuple[str, ...]]
    """Repeats the recorded verification and returns a sentence for each failed check."""


@dataclass(frozen=True)
class Failed:
    """The promotion to undo. `touched` has the slots of the services that it changed."""

    namespace: Namespace
    promotion: str
    touched: Mapping[str, tuple[Slot, ...]]
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Anonymous volumes of containers that it removed because the file has their service no longer, by slot and by path."""


@dataclass(frozen=True)
class Returned:
    """The result of undoing a promotion. `services` has the replicas of each service that serves again."""

    touched: bool
    left: bool = False
    services: Mapping[str, list[Swapped]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    earlier: str | None = None
    """The release that ran before."""

    @property
    def restored(self) -> bool:
        """Return whether everything that ran before serves again and is proven."""
        return self.touched and not self.left and not self.problems and self.earlier is not None

    def sentences(self, environment: str) -> tuple[str, ...]:
        """Describe the state of the environment, for people."""
        if not self.touched:
            return (f"{environment} was not changed",)
        if self.left:
            return (f"{environment} was left as it is",)
        if self.problems:
            what = f"the earlier release {self.earlier[:12]}" if self.earlier else "what was there before"
            return (f"{environment} could not be restored: {what} is not proven to serve", *self.problems)
        if self.earlier is None:
            return (f"nothing ran in {environment} before, and nothing runs there now",)
        return (f"{environment} serves the earlier release {self.earlier[:12]} again, proven healthy",)


class RolloutStrategy(Protocol):
    """Replaces the services of one environment on one engine. The plan uses `steps`, the runner everything else."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, started: datetime) -> None:
        """Make a strategy. `started` is when the promotion started: earlier outages are not counted."""

    @property
    def outages(self) -> dict[str, tuple[float, float]]:
        """Return the time in which each slot did not serve: from and to, in seconds of the monotonic clock."""

    @staticmethod
    def steps(environment: Environment, release: Release) -> tuple[Step, ...]:
        """Return the steps of a promotion, in order. Pure."""

    def replace(
        self, order: ContainerRequest, slot: Slot, *, restart: bool = False, touch: Callable[[], None] = lambda: None
    ) -> Swapped:
        """Put the requested container into the slot and prove it healthy. Raise StepFailure.

        Safe to repeat: finished parts of this promotion are found and not repeated. `restart` stops and starts a container that
        could stay. `touch` is called before anything is changed.
        """

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        """Prove the container in the slot again; if it has ended, start it again. Raise StepFailure."""

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        """Undo a failed promotion; `emit` gets the name of each service that is restored.

        It continues after errors, and reports them. Raise only LeaseLost or EngineLost.
        """

    def uninterruptible(self, clock: Clock, probes: Probes | None) -> Self:
        """Return the same strategy with waits that cannot be interrupted, for undoing. It counts the same outages."""
