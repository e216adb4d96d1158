"""Whether a release may enter an environment, as one value."""

from promoter.gates.evaluate import GateResult, gate_document, worst
from promoter.model.dataclass import dataclass
from promoter.model.verdict import Outcome


@dataclass(frozen=True)
class Admission:
    """The verdict of every rule, in the order in which people read them."""

    results: tuple[GateResult, ...] = ()

    @property
    def blocking(self) -> GateResult | None:
        """Return the result that decides: a refusal before a wait; None if the release is admitted."""
        return worst(self.results)

    @property
    def admitted(self) -> bool:
        return self.blocking is None

    @property
    def outcome(self) -> Outcome:
        return Outcome.PASSED if self.blocking is None else self.blocking.verdict.outcome

    @property
    def asks_for_votes(self) -> bool:
        """Return whether votes could still admit the release: false after a final refusal."""
        return self.blocking is None or self.blocking.opens_by_vote

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(f"{one.gate}: {one.verdict.sentence}" for one in self.results if one.verdict.outcome is not Outcome.PASSED)

    def with_(self, *more: GateResult) -> "Admission":
        return Admission((*self.results, *more))

    def documents(self) -> list[dict[str, object]]:
        return [gate_document(one) for one in self.results]
