"""Putting an environment back as it was, after a step failed or a run was interrupted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from promoter.carry.failure import Evidence, StepFailure
from promoter.carry.recreate import Order, Recreate
from promoter.model.errors import LeaseLost, PromoterError
from promoter.model.naming import LABEL, Slot


@dataclass(frozen=True)
class Returned:
    """How it ended. `services` holds, for each service put back, its (container, digest) pairs."""

    touched: bool
    left: bool = False
    services: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    gap: float | None = None

    @property
    def restored(self) -> bool:
        """Whether an earlier container serves again in every slot that was touched."""
        return self.touched and not self.left and not self.problems and any(self.services.values())

    def sentences(self, environment: str, previous: str | None) -> tuple[str, ...]:
        """What the environment is like now, for people."""
        if not self.touched:
            return (f"{environment} was not touched: it is as it was",)
        if self.left:
            return (f"{environment} was left as it is",)
        if self.problems:
            return (f"{environment} could not be put back", *self.problems)
        if self.restored:
            return (
                f"{environment} serves the earlier release"
                + (f" {previous[:12]}" if previous else "")
                + " again, proven healthy",
            )
        return (f"nothing ran in {environment} before, and nothing runs there now",)


def put_back(
    recreate: Recreate,
    order: Callable[[str], Order],
    slots: Callable[[str], tuple[Slot, ...]],
    touched: list[str],
    tell: Callable[[str], None],
) -> Returned:
    """Takes what was touched back, last first. Goes on past a slot that fails, and says so."""
    services: dict[str, list[tuple[str, str]]] = {}
    problems: list[str] = []
    evidence: list[Evidence] = []
    gaps: list[float] = []
    for service in reversed(touched):
        tell(service)
        services[service] = []
        for slot in slots(service):
            try:
                earlier = recreate.restore(order(service), slot)
            except StepFailure as failure:
                problems += failure.reasons
                evidence += failure.evidence
                continue
            except LeaseLost:
                raise
            except PromoterError as error:
                problems.append(error.message)
                continue
            if earlier is not None:
                services[service].append((earlier.id, earlier.labels.get(f"{LABEL}.digest", "")))
            if (gap := recreate.gap(slot)) is not None:
                gaps.append(gap)
    return Returned(True, False, services, tuple(problems), tuple(evidence), max(gaps, default=None))
