"""Emergencies: pass the gates by override; a second person must review each override.

An override is bound, signed and consumed like an approval. It passes every gate, pin and freeze, but no veto.
"""

from promoter.gates.override import Override, may_override
from promoter.ledger.attempts import PendingReview
from promoter.ledger.chain import Fact
from promoter.model.errors import CallerError, Refused
from promoter.model.statement import Decision
from promoter.model.verdict import Outcome, ReasonCode
from promoter.pipeline.model import Environment
from promoter.pipeline.policy import policy_digest
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.overrides import review_verdict
from promoter.promotion.admission.subject import Proposal
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.sign import VoteDraft, VoteSubject, check_key, key_for, vote_of
from promoter.usecases.vote_checks import may_enter


def check_override(ctx: Context, case: ApprovalCase, key: str | None) -> None:
    """Check the right to override and the key, before the case is shown. Raise Refused if it would not count."""
    policy = _right_to_override(ctx, case)
    check_key(ctx, key_for(ctx, (policy.grade,), key))


def override(ctx: Context, case: ApprovalCase, reason: str, key: str | None = None) -> Fact:
    """Append a decision to pass the gates for exactly what the case shows. Raise Refused for people who may not."""
    policy = _right_to_override(ctx, case)
    matter = VoteSubject(
        case.release, case.environment, case.plan_digest, case.policy_digest, case.from_release, case.requested_by
    )
    ballot = VoteDraft(matter, Decision.OVERRIDE, reason, _role(ctx), policy.review_within)
    key = key_for(ctx, (policy.grade,), key)
    return ctx.ledger.append(lambda state: vote_of(ctx, ballot, key, state), case.environment, case.release.id)


def review(ctx: Context, environment: str, comment: str | None, key: str | None = None) -> Fact:
    """Review the oldest override without a review. Raise Refused for the people who made it."""
    require_environment(ctx, environment)
    pending, resolved = _to_review(ctx, environment)
    people = [vote.principal for vote in pending.overrides]
    if ctx.actor in people:
        raise Refused(
            f"{ctx.actor} passed the gates of {environment} and may not review this override",
            ReasonCode.SELF_APPROVAL,
            hint="ask another person to review it",
        )
    if ctx.pipeline.signers is not None and ctx.actor not in ctx.pipeline.signers:
        raise Refused(f"{ctx.actor} is not among the approvers of {ctx.name}", ReasonCode.SIGNER_UNKNOWN)
    release = ctx.ledger.state.releases[pending.release].release
    first = pending.overrides[0]
    matter = VoteSubject(release, environment, pending.plan_digest, policy_digest(ctx.pipeline, resolved), None, first.principal)
    ballot = VoteDraft(matter, Decision.REVIEW, comment or "", _role(ctx), None, first.digest)
    key = key_for(ctx, (resolved.override.grade,) if resolved.override else (), key)
    check_key(ctx, key)  # before the passphrase of the key is asked for
    return ctx.ledger.append(lambda state: vote_of(ctx, ballot, key, state), environment, pending.release)


def _right_to_override(ctx: Context, case: ApprovalCase) -> Override:
    """Return the policy of the environment. Refuse an override that could not count."""
    policy = ctx.loaded.resolve(case.environment, case.release.source, case.release.id).override
    if policy is None:
        raise CallerError(
            f"overrides are not allowed in {case.environment}",
            hint="name people under `override: {from: […]}` of the environment",
        )
    people = may_override(policy, ctx.pipeline.roles)
    if ctx.actor not in people:
        raise Refused(
            f"{ctx.actor} may not override the gates of {case.environment}; these may: {', '.join(sorted(people))}",
            ReasonCode.ROLE_MISSING,
            hint="set your name with --actor NAME or PROMOTER_ACTOR",
        )
    may_enter(case)
    return policy


def _to_review(ctx: Context, name: str) -> tuple[PendingReview, Environment]:
    state = facts_so_far(ctx)
    for pending in state.environment(name).pending_reviews:
        release = state.releases[pending.release].release
        environment = ctx.loaded.resolve(name, release.source, release.id)
        case = make_case(ctx.pipeline, Proposal(environment, release), state, ctx.ports.clock.now())
        if review_verdict(ctx.pipeline, environment, state, case, pending).outcome is not Outcome.PASSED:
            return pending, environment
    raise CallerError(f"no override in {name} waits for a review", hint=f"`promoter history {name}` shows earlier ones")


def _role(ctx: Context) -> str | None:
    return next((role for role, people in ctx.pipeline.roles.items() if ctx.actor in people), None)
