"""Importing the reviews that people gave on the platform about this CI run, as votes of the grade `platform`.

Such a review says only: this run may go on to that environment. So it counts for nothing but the one thing that this
very run asked for there, and only when the run asked before it was reviewed. What follows from a review is `reviews.py`'s.
"""

from dataclasses import dataclass
from datetime import timedelta

from promoter.gates.approval.rule import Approval
from promoter.ledger.chain import Fact
from promoter.ledger.facts import Approved, Rejected
from promoter.ledger.state import PromotionRequest, State
from promoter.model.errors import CallerError, Refused
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.usecases.approve import ApprovalCase, approval_case, may_enter
from promoter.usecases.context import Context, find_release, require_environment
from promoter.usecases.platform_reviews import Reviewed, ReviewSubject, is_known, source_of, weigh


class _Known(Exception):
    """Another job has recorded the very same review."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it: the new facts, how many reviews stood in the ledger already, and who was passed over, and why."""

    environment: str
    release: str
    run: str
    facts: tuple[Fact, ...]
    known: int
    passed_over: tuple[str, ...]

    def document(self) -> dict[str, object]:
        return {
            "environment": self.environment,
            "release": self.release,
            "run": self.run,
            "recorded": [fact.document() for fact in self.facts],
            "known": self.known,
            "passed_over": list(self.passed_over),
        }


def import_reviews(ctx: Context, environment: str, release: str | None = None, called: str | None = None) -> Imported:
    """Those of this run. `called` is the environment's name on the platform, where that is another.

    Raises CallerError when nothing waits there or this is no run, Refused when this run did not ask for it.
    """
    case = approval_case(ctx, environment, release)
    run = _asking_run(ctx, case)
    gates = _approval_gates(ctx, case)
    forge = ctx.ports.forge(None)
    place = ReviewSubject(forge.platform, run, called or environment)
    weighed = weigh(forge.reviews(place.environment), ctx.pipeline, gates, case.requested_by, case.release.source.author)
    if any(vote.review.decision == "approve" for vote in weighed.votes):
        may_enter(case)
    ends = [gate.expires for gate in gates if gate.expires is not None]
    recorded = [_record(ctx, case, vote, place, min(ends, default=None)) for vote in weighed.votes]
    facts = tuple(fact for fact in recorded if fact is not None)
    return Imported(environment, case.release.id, run, facts, len(recorded) - len(facts), weighed.passed_over)


def waits_there(ctx: Context, environment: str, release: str | None) -> bool:
    """Whether the release that would be promoted is the one that asks for votes there."""
    require_environment(ctx, environment)
    chosen, request = find_release(ctx, release), ctx.ledger.state.environment(environment).request
    return request is not None and request.release == chosen.id


# ------------------------------------------------------------ parts
def _asking_run(ctx: Context, case: ApprovalCase) -> str:
    if ctx.ci_run is None:
        raise CallerError(
            "this is no CI run, and a review on the platform is about a run",
            hint="import reviews in the job that was reviewed; here, `promoter approve` votes",
        )
    asked = ctx.ledger.state.environment(case.environment).asked_by.get(ctx.ci_run)
    if asked is None:
        by = f"run {case.run}" if case.run else "no CI run"
        raise Refused(
            f"what waits in {case.environment} was asked for by {by}, not by this run ({ctx.ci_run}): "
            "its reviews are about something else",
            ReasonCode.APPROVAL_STALE,
            hint=f"let an earlier job of this run ask: `promoter run`, or `promoter promote --to {case.environment}`. "
            "Runs ask anew for the same plan where an approval gate says `grade: platform`",
        )
    if asked != (case.matter,):
        raise Refused(
            f"this run ({ctx.ci_run}) has asked for other things in {case.environment} too: which of them was reviewed "
            "cannot be told",
            ReasonCode.APPROVAL_STALE, hint="start a new run, and review that",
        )  # fmt: skip
    return ctx.ci_run


def _record(ctx: Context, case: ApprovalCase, vote: Reviewed, place: ReviewSubject, expires: timedelta | None) -> Fact | None:
    """None when the ledger has it, whoever was first."""
    source = source_of(vote.review, place)
    kind = Approved if vote.review.decision == "approve" else Rejected

    def imported(state: State) -> Approved | Rejected:
        entry = state.environment(case.environment)
        if is_known(source, entry.votes_for(case.release.id)):
            raise _Known
        if _matter(entry.request) != case.matter:
            raise Refused(
                f"{case.environment} was asked for something else meanwhile", ReasonCode.APPROVAL_STALE,
                hint=f"`promoter explain {case.environment}` shows what waits there now",
            )  # fmt: skip
        now = ctx.ports.clock.now()
        return kind(
            plan_digest=case.plan_digest,
            from_release=case.from_release.id if case.from_release else None,
            policy_digest=case.policy_digest,
            principal=vote.principal,
            role=vote.role,
            grade=str(Grade.PLATFORM),
            comment=vote.review.comment,
            expires_at=stamp(now + expires) if expires else None,
            review=source,
        )

    try:
        return ctx.ledger.append(imported, case.environment, case.release.id)
    except _Known:
        return None


def _approval_gates(ctx: Context, case: ApprovalCase) -> list[Approval]:
    environment = ctx.loaded.resolve(case.environment, case.release.source, case.release.id)
    gates = [gate for gate in environment.gates if isinstance(gate, Approval)]
    if not gates:
        raise CallerError(f"{case.environment} has no approval gate: there is nothing to vote on")
    return gates


def _matter(request: PromotionRequest | None) -> str | None:
    return request.matter if request is not None else None
