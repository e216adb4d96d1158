"""What a rollout strategy is: how the services of an environment are replaced, and how a replacement is taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from promoter.model.clock import Clock
from promoter.model.labels import Place, Slot
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
    """What ran before, as it is recorded: its services in the order in which they start, and their containers."""

    release: str
    services: tuple[str, ...]
    order: Callable[[str], ContainerRequest]
    slots: Callable[[str], tuple[Slot, ...]]
    containers: Mapping[str, frozenset[str]]
    verify: Callable[[], tuple[str, ...]]
    """Repeats the recorded verification; a sentence for each check that did not pass."""


@dataclass(frozen=True)
class Failed:
    """The promotion that is taken back. `touched` are the slots of the services that it changed."""

    place: Place
    promotion: str
    touched: Mapping[str, tuple[Slot, ...]]


@dataclass(frozen=True)
class Returned:
    """How it ended. `services` holds the replicas of each service that serves again."""

    touched: bool
    left: bool = False
    services: Mapping[str, list[Swapped]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    earlier: str | None = None
    """The release that ran before."""

    @property
    def restored(self) -> bool:
        """Whether what ran before serves again, and all of it is proven."""
        return self.touched and not self.left and not self.problems and self.earlier is not None

    def sentences(self, environment: str) -> tuple[str, ...]:
        """What the environment is like now, for people."""
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
    """Replaces the services of one environment on one engine. The plan asks `steps`, the runner all the rest."""

    outages: dict[str, tuple[float, float]]
    """By slot: from when to when it served nothing, in seconds of the monotonic clock."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, begun: datetime) -> None:
        """`begun` is when the promotion began: no outage is counted from before."""

    @staticmethod
    def steps(environment: Environment, release: Release) -> tuple[Step, ...]:
        """What a promotion does, in order. Pure: it looks at nothing."""

    def replace(
        self, order: ContainerRequest, slot: Slot, *, restart: bool = False, touch: Callable[[], None] = lambda: None
    ) -> Swapped:
        """Put what is ordered into the slot and prove it healthy. Raises StepFailure.

        Safe to repeat: what this promotion has done already is found and not done again. `restart` stops and starts a
        container that could stay. `touch` is called before anything is changed.
        """

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        """Prove what is in the slot again; one that has ended meanwhile is started again. Raises StepFailure."""

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        """Take a failed promotion back; `emit` gets the name of each service that is brought back.

        Goes on past what fails, and reports it. Raises LeaseLost or EngineLost and nothing else.
        """

    def lasting(self, clock: Clock, probes: Probes | None) -> Self:
        """The same, with waits that no interruption ends: for putting back. It counts the same outages."""
