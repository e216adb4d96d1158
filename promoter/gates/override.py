"""Rules for emergencies: which gates a rollback skips, and who may override all gates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import Field

from promoter.config.spec import Duration, Shape
from promoter.gates.approval.rule import Approval, counting, electorate, evaluate_approval
from promoter.gates.context import GateContext
from promoter.gates.registry import GateKind
from promoter.model.statement import Decision
from promoter.model.verdict import Outcome, ReasonCode, Verdict, passed, refused
from promoter.model.vote import Grade, Vote


class Rollback(Shape):
    """The gates that a rollback skips. `skip` names their kinds, in addition to soak. `window` includes freezes.

    Without `skip`, a rollback skips all gates.
    """

    skip: tuple[GateKind, ...] | None = None
    from_: tuple[str, ...] | None = Field(default=None, alias="from", min_length=1)
    """People or roles who may roll back. Default: anyone."""

    def document(self) -> dict[str, object]:
        """Return the rules as part of a policy. An unset `from` is left out, so that older votes keep their policy digest."""
        return {"skip": self.skip and list(self.skip), **({"from": list(self.from_)} if self.from_ else {})}

    def may(self, person: str, roles: Mapping[str, tuple[str, ...]]) -> bool:
        """Return whether this person may roll back."""
        return self.from_ is None or person in people_of(self.from_, roles)

    def skips(self, kind: str) -> bool:
        return kind == "soak" or self.skip is None or kind in self.skip


class Override(Shape):
    """Who may pass the gates in an emergency: at least `min` people of `from`, with a reason.

    The next normal promotion waits until another person has signed a review. The time limit is `review_within`.
    """

    from_: tuple[str, ...] = Field(alias="from", min_length=1)
    min: int = Field(default=1, ge=1)
    review_within: Duration = timedelta(hours=24)
    grade: Grade = Grade.SIGNED


def evaluate_override(policy: Override, case: GateContext) -> Verdict | None:
    """Return whether the people that the file names decided to pass the gates. None: there is no override.

    Overrides are bound, expire and are used up as approvals are.
    """
    if not any(vote.plan_digest == case.plan_digest for vote in case.overrides):
        return None
    verdict = evaluate_approval(_as_gate(policy), _as_votes(case))
    if verdict.outcome is not Outcome.PASSED:
        return verdict
    used = used_overrides(policy, case)
    why = "; ".join(f"{vote.principal}: {vote.comment}" for vote in used)
    return Verdict(Outcome.PASSED, ReasonCode.OVERRIDDEN, f"the gates are overridden ({why})")


def used_overrides(policy: Override, case: GateContext) -> tuple[Vote, ...]:
    """Return the overrides that a start consumes."""
    return counting(_as_gate(policy), _as_votes(case))


def evaluate_review(
    policy: Override | None, case: GateContext, overrides: Sequence[Vote], at: datetime, reviews: Sequence[Vote]
) -> Verdict:
    """Return whether a second person has reviewed a promotion with these overrides."""
    people = [vote.principal for vote in overrides]
    keys = {vote.key for vote in overrides if vote.key}
    may = None if case.signers is None else frozenset(case.signers)
    grade = policy.grade if policy is not None else Grade.SIGNED if case.signers else Grade.ASSERTED
    for vote in reviews:
        second = vote.principal not in people and vote.key not in keys and (may is None or vote.principal in may)
        if (
            vote.reviews == overrides[0].digest
            and vote.flaw is None
            and second
            and (grade is not Grade.SIGNED or vote.grade == grade)
        ):
            return passed(f"reviewed by {vote.principal}")
    deadline = at + (policy.review_within if policy is not None else timedelta(0))
    when = f"time limit: {deadline:%Y-%m-%d %H:%M} UTC" if case.now < deadline else f"overdue since {deadline:%Y-%m-%d %H:%M} UTC"
    sentence = f"{', '.join(people)} passed the gates of {case.environment} by override; review missing ({when})"
    return refused(ReasonCode.REVIEW_OVERDUE, f"{sentence}; another person must run `promoter review {case.environment}`")


def _as_gate(policy: Override) -> Approval:
    return Approval.model_validate({"min": policy.min, "from": policy.from_, "grade": policy.grade})


def _as_votes(case: GateContext) -> GateContext:
    return replace(case, votes=tuple(replace(vote, decision=Decision.APPROVE) for vote in case.overrides))


def people_of(names: Sequence[str], roles: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Replace roles by their people."""
    return frozenset(person for name in names for person in roles.get(name, (name,)))


def may_override(policy: Override, roles: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return the people who may override."""
    people = electorate(_as_gate(policy), roles, None)
    assert people is not None
    return people
