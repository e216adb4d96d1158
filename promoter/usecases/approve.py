"""Approve and reject: show the case as the ledger holds it, and append the vote, signed if a key is given.

The approver needs the pipeline file, the ledger and a key: no engine, no registry, no secrets.
"""

from collections.abc import Mapping

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.ledger.attempts import PromotionRequest
from promoter.ledger.chain import Fact
from promoter.model.canonical_json import fingerprint
from promoter.model.errors import CallerError, LedgerError, Refused, SigningError
from promoter.model.release import Release
from promoter.model.verdict import Outcome
from promoter.pipeline.policy import policy_of
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.admission.holds import newer_instead
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.admission.policy_pin import other_rules
from promoter.promotion.plan import changes
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment
from promoter.usecases.sign import VoteDraft, VoteSubject, key_for, vote_of
from promoter.usecases.vote_checks import check_vote


def approval_case(ctx: Context, environment: str, release: str | None) -> ApprovalCase:
    """Return the open request of an environment. Raise CallerError when nothing waits there."""
    require_environment(ctx, environment)
    facts_so_far(ctx)
    state = ctx.ledger.state
    entry = state.environment(environment)
    request = entry.request
    wanted = find_release(ctx, release) if release else None
    if wanted is not None and wanted.id in entry.pending:
        for gone in newer_instead(state, environment, wanted, explicit=True):
            raise Refused(gone.verdict.sentence, gone.verdict.code)
    if request is None or (wanted is not None and request.release != wanted.id):
        which = f"release {wanted.short_id}" if wanted else "nothing"
        raise CallerError(
            f"{which} does not wait in {environment}" if wanted else f"nothing waits for approval in {environment}",
            hint="`promoter status` shows what waits where; `promoter promote` requests it again",
        )
    if fingerprint(request.plan) != request.plan_digest:
        raise LedgerError(
            f"fact {request.seq} contains a plan that does not match its plan digest {request.plan_digest}",
            hint="the fact was forged: `promoter promote` makes a new request, `promoter history` shows who wrote what",
        )
    target = state.releases[request.release].release
    earlier = state.releases[request.from_release].release if request.from_release else None
    return _case_of(ctx, request, target, earlier)


def vote(ctx: Context, case: ApprovalCase, decision: str, comment: str | None, key: str | None = None) -> Fact:
    """Append an approval or a reject, bound to exactly what the case shows. Raise Refused when it would not count.

    `key` is the file of an SSH key. The signature covers the digest of the fact before, so that facts before the vote
    cannot be removed. When another fact was appended meanwhile, the vote is signed again.
    """
    roles, gates = check_vote(ctx, case, decision)
    ends = [gate.expires for gate in gates if gate.expires is not None]
    matter = VoteSubject(
        case.release, case.environment, case.plan_digest, case.policy_digest, case.from_release, case.requested_by
    )
    ballot = VoteDraft(matter, decision, comment or "", roles[0] if roles else None, min(ends) if ends else None)
    if decision == "reject":
        return _reject(ctx, case, ballot, key)
    key = key_for(ctx, (gate.grade for gate in gates), key, case.run)
    return _cast(ctx, case, ballot, key)


def still_missing(ctx: Context, case: ApprovalCase) -> tuple[str, ...]:
    """Return what the approval gates of this case still need; nothing when the case is no longer open."""
    try:
        gates = approval_case(ctx, case.environment, case.release.id).gates
    except (CallerError, Refused):
        return ()
    closed = (one for one in gates if one.kind == Rule.APPROVAL and one.verdict.outcome is not Outcome.PASSED)
    return tuple(f"{one.gate}: {one.verdict.sentence}" for one in closed)


# ------------------------------------------------------------ parts
def _reject(ctx: Context, case: ApprovalCase, ballot: VoteDraft, named: str | None) -> Fact:
    """Record a reject, signed if possible. It counts without a signature; only a key that was named must work."""
    key = named or (ctx.key or ctx.git_key() if ctx.pipeline.trust is not None else None)
    try:
        return _cast(ctx, case, ballot, key)
    except (CallerError, Refused, SigningError):
        if named is not None or key is None:
            raise
        return _cast(ctx, case, ballot, None)


def _cast(ctx: Context, case: ApprovalCase, ballot: VoteDraft, key: str | None) -> Fact:
    return ctx.ledger.append(lambda state: vote_of(ctx, ballot, key, state), case.environment, case.release.id)


def _case_of(ctx: Context, request: PromotionRequest, target: Release, earlier: Release | None) -> ApprovalCase:
    name, plan = request.environment, request.plan
    current = ctx.ledger.state.environment(name).current
    before = ctx.ledger.plan_document(name, current.plan_digest) if current else None
    old = {service: str(ref.digest) for service, ref in earlier.images.items()} if earlier else {}
    images = tuple((service, old.get(service), str(ref.digest)) for service, ref in target.images.items())
    steps = tuple(str(step["id"]) for step in _steps(plan))
    cast = ctx.ledger.state.environment(name).votes_for(request.release)
    votes = tuple(vote for vote in cast if vote.plan_digest == request.plan_digest)
    return ApprovalCase(
        ctx.name,
        name,
        target,
        earlier,
        request.plan_digest,
        request.policy_digest,
        request.requested_by,
        request.at,
        request.reasons,
        _commits(ctx, earlier, target),
        changes(before, plan),
        images,
        steps,
        _gates_now(ctx, request),
        votes,
        request.run,
        request.matter,
    )


def _gates_now(ctx: Context, request: PromotionRequest) -> tuple[GateResult, ...]:
    terms = PromotionOptions(ctx.owner, ctx.actor, policy_ref=ctx.policy_ref, explicit=True, rollback=request.rollback)
    controller = AdmissionController(ctx.loaded, ctx.ports, ctx.ledger, request.environment, terms)
    proposal, case = controller.as_requested(request)
    results = controller.evaluate(proposal, run_checks=False, case=case).results
    if case.policy_digest == request.policy_digest:
        return results
    other = other_rules(request.rules, policy_of(ctx.pipeline, proposal.environment))
    return (GateResult("rules", other, Rule.POLICY), *results)


def _commits(ctx: Context, earlier: Release | None, target: Release) -> tuple[str, ...] | None:
    if earlier is None or not earlier.source.sha or not target.source.sha:
        return None
    return ctx.ports.source.commits(ctx.pipeline.directory, earlier.source.sha, target.source.sha)


def _steps(plan: Mapping[str, object]) -> list[Mapping[str, object]]:
    steps = plan.get("steps")
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
