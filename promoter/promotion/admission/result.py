"""Whether a release may enter an environment, as one value."""

from dataclasses import dataclass
from datetime import datetime

from promoter.gates.evaluate import GateResult, gate_document, worst
from promoter.model.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Admission:
    """Every rule's verdict, in the order in which people read them."""

    results: tuple[GateResult, ...] = ()

    @property
    def blocking(self) -> GateResult | None:
        """The verdict that decides: a refusal before a wait; None when the release is admitted."""
        return worst(self.results)

    @property
    def admitted(self) -> bool:
        return self.blocking is None

    @property
    def outcome(self) -> Outcome:
        return Outcome.PASSED if self.blocking is None else self.blocking.verdict.outcome

    @property
    def asks_for_votes(self) -> bool:
        """Whether votes could still let it in: what is refused for good asks for none."""
        return self.blocking is None or self.blocking.kind.opens_by_vote

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(f"{one.gate}: {one.verdict.sentence}" for one in self.results if one.verdict.outcome is not Outcome.PASSED)

    @property
    def opens_at(self) -> datetime | None:
        """When time alone opens what is closed, if it is known of all of them."""
        closed = [one.verdict.opens_at for one in self.results if one.verdict.outcome is not Outcome.PASSED]
        times = [time for time in closed if time is not None]
        return max(times) if times and len(times) == len(closed) else None

    def with_(self, *more: GateResult) -> "Admission":
        return Admission((*self.results, *more))

    def documents(self) -> list[dict[str, object]]:
        return [gate_document(one) for one in self.results]
