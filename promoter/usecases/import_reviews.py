"""Import the platform's reviews of this CI run as votes of the grade `platform`.

A review means only: this run may continue to that environment. So it counts only for what this run requested there,
and only if the request came before the review. `platform_reviews.py` decides which votes follow from reviews.
"""

from datetime import timedelta

from promoter.gates.approval.rule import Approval
from promoter.ledger.attempts import PromotionRequest
from promoter.ledger.chain import Fact
from promoter.ledger.facts import Approved, Rejected
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, Refused
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.approve import approval_case
from promoter.usecases.context import Context, find_release, require_environment
from promoter.usecases.platform_reviews import Reviewed, ReviewSubject, is_known, source_of, weigh
from promoter.usecases.vote_checks import may_enter


class _Known(Exception):
    """Another job has recorded the same review."""


@dataclass(frozen=True)
class Imported:
    """The result: new facts, the number of reviews already in the ledger, and who was ignored, with the reason."""

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
    """Import the reviews of this run. `called` is the environment's name on the platform, if it differs.

    Raise CallerError when nothing waits there or this is not a CI run, Refused when this run did not request it.
    """
    case = approval_case(ctx, environment, release)
    run = _asking_run(ctx, case)
    gates = _approval_gates(ctx, case)
    forge = ctx.ports.forge(None)
    subject = ReviewSubject(forge.platform, run, called or environment)
    weighed = weigh(forge.reviews(subject.environment), ctx.pipeline, gates, case.requested_by, case.release.source.author)
    if any(vote.review.decision == "approve" for vote in weighed.votes):
        may_enter(case)
    ends = [gate.expires for gate in gates if gate.expires is not None]
    recorded = [_record(ctx, case, vote, subject, min(ends, default=None)) for vote in weighed.votes]
    facts = tuple(fact for fact in recorded if fact is not None)
    return Imported(environment, case.release.id, run, facts, len(recorded) - len(facts), weighed.passed_over)


def waits_there(ctx: Context, environment: str, release: str | None) -> bool:
    """Return whether the release that would be promoted is the one that waits for votes there."""
    require_environment(ctx, environment)
    chosen, request = find_release(ctx, release), ctx.ledger.state.environment(environment).request
    return request is not None and request.release == chosen.id


# ------------------------------------------------------------ parts
def _asking_run(ctx: Context, case: ApprovalCase) -> str:
    if ctx.ci_run is None:
        raise CallerError(
            "this is not a CI run, and reviews are given for CI runs",
            hint="import reviews in a job of the reviewed run; here, vote with `promoter approve`",
        )
    asked = ctx.ledger.state.environment(case.environment).asked_by.get(ctx.ci_run)
    if asked is None:
        by = f"run {case.run}" if case.run else "no CI run"
        raise Refused(
            f"what waits in {case.environment} was requested by {by}, not by this run ({ctx.ci_run}): its reviews do not apply",
            ReasonCode.APPROVAL_STALE,
            hint=f"request it in an earlier job of this run: `promoter run`, or `promoter promote --to {case.environment}`. "
            "Each run requests the same plan again if an approval gate has `grade: platform`",
        )
    if asked != (case.matter,):
        raise Refused(
            f"this run ({ctx.ci_run}) has requested other things in {case.environment} too: it is unknown which of them "
            "was reviewed",
            ReasonCode.APPROVAL_STALE,
            hint="start a new run and review it",
        )
    return ctx.ci_run


def _record(ctx: Context, case: ApprovalCase, vote: Reviewed, subject: ReviewSubject, expires: timedelta | None) -> Fact | None:
    """Record a review as a vote; None when the ledger has it already."""
    source = source_of(vote.review, subject)
    kind = Approved if vote.review.decision == "approve" else Rejected

    def imported(state: State) -> Approved | Rejected:
        entry = state.environment(case.environment)
        if is_known(source, entry.votes_for(case.release.id)):
            raise _Known
        if _matter(entry.request) != case.matter:
            raise Refused(
                f"{case.environment} has another request meanwhile",
                ReasonCode.APPROVAL_STALE,
                hint=f"`promoter explain {case.environment}` shows what waits there now",
            )
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
