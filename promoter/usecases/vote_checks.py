"""Whether a vote on a case would count. What could not count is refused before a person reads the case and signs."""

from promoter.gates.approval.rule import Approval, own_doing, voters
from promoter.gates.rule import Rule
from promoter.model.diff import format_change
from promoter.model.errors import CallerError, PromoterError, Refused
from promoter.model.statement import Decision
from promoter.model.verdict import Outcome, ReasonCode
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.plan import changes
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.context import Context
from promoter.usecases.environments import promotion_options
from promoter.usecases.sign import check_key, key_for

_SHOWN = 3
"""The most changes that a refusal names."""


def check_approval(ctx: Context, case: ApprovalCase, key: str | None) -> None:
    """Check the right to approve and the key, before the case is shown. Raise Refused for a vote that would not count."""
    _, gates = check_vote(ctx, case, Decision.APPROVE)
    check_key(ctx, key_for(ctx, (gate.grade for gate in gates), key, case.run))


def check_vote(ctx: Context, case: ApprovalCase, decision: str) -> tuple[tuple[str, ...], list[Approval]]:
    """Return the voter's roles and the gates of the vote. Raise Refused for a vote that would not count."""
    found = _right_to_vote(ctx, case, decision)
    if decision == Decision.APPROVE:
        may_enter(case)
        _would_be_stale(ctx, case)
    return found


def _right_to_vote(ctx: Context, case: ApprovalCase, decision: str) -> tuple[tuple[str, ...], list[Approval]]:
    """Return the voter's roles and the gates of the vote. Refuse a vote that could not count."""
    environment = ctx.loaded.resolve(case.environment, case.release.source, case.release.id)
    gates = [gate for gate in environment.gates if isinstance(gate, Approval)]
    if not gates:
        raise CallerError(f"{case.environment} has no approval gate, so no vote is needed")
    may = voters(gates, ctx.pipeline.roles, ctx.pipeline.signers)
    if may is not None and ctx.actor not in may:
        raise Refused(
            f"{ctx.actor} may not vote on {case.environment}; these may: {', '.join(sorted(may))}",
            ReasonCode.ROLE_MISSING,
            hint="set your name with --actor NAME or PROMOTER_ACTOR",
        )
    if decision == "approve":
        _not_their_own(ctx, case, gates)
        _not_rejected(case)
    return tuple(role for role, people in ctx.pipeline.roles.items() if ctx.actor in people), gates


def _not_their_own(ctx: Context, case: ApprovalCase, gates: list[Approval]) -> None:
    author = case.release.source.author
    wrote = ctx.pipeline.person(author) if author else None
    own = own_doing(gates, ctx.actor, ctx.pipeline.person(case.requested_by), wrote)
    if own is not None:
        raise Refused(f"{ctx.actor} {own} and may not approve it", ReasonCode.SELF_APPROVAL)


def _not_rejected(case: ApprovalCase) -> None:
    for vote in case.votes:
        if vote.decision == "reject":
            raise Refused(
                f"{vote.principal} has rejected this plan" + (f": {vote.comment}" if vote.comment else ""),
                ReasonCode.REJECTED,
                hint="a reject counts until the plan changes: a new release or a changed configuration",
            )


def may_enter(case: ApprovalCase) -> None:
    """Raise Refused when no vote could open it: it was vetoed, or this checkout's policy is not the protected one.

    The rules of the request must also be those of this checkout: a person signs only rules that they can see.
    """
    for one in case.gates:
        if one.kind in (Rule.POLICY, Rule.VETO) and one.verdict.outcome is Outcome.REFUSED:
            raise Refused(one.verdict.sentence, one.verdict.code)


def _would_be_stale(ctx: Context, case: ApprovalCase) -> None:
    """Refuse an approval of a plan that the next promotion from this checkout would not make.

    Secrets are taken as recorded, so their values are not needed. A file that reads variables of the process may make
    another plan on another machine, so it is not compared.
    """
    entry = ctx.ledger.state.environment(case.environment)
    again = f"`promoter promote {case.release.short_id} --to {case.environment}` requests it again"
    running = entry.current.release if entry.current else None
    if running != (case.from_release.id if case.from_release else None):
        raise Refused(
            f"what runs in {case.environment} has changed since {case.requested_by} asked", ReasonCode.APPROVAL_STALE, hint=again
        )
    request = entry.request
    if request is None or request.rollback or request.plan_digest != case.plan_digest or ctx.loaded.reads_variables:
        return
    recorded = request.plan.get("secrets")
    hashes = recorded if isinstance(recorded, dict) else {}
    controller = AdmissionController(ctx.loaded, ctx.ports, ctx.ledger, case.environment, promotion_options(ctx))
    try:
        plan = controller.plan_with(case.release, lambda name: str(hashes.get(name, "")))
    except PromoterError:
        return  # the file here does not fit this release: there is nothing to compare
    if plan.digest != case.plan_digest:
        found = [format_change(change.document()) for change in changes(request.plan, plan.document())]
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Refused(
            f"{ctx.pipeline.file.name} makes another plan for {case.environment} than the one that waits: "
            + "; ".join(found[:_SHOWN])
            + more,
            ReasonCode.APPROVAL_STALE,
            hint=f"{again} with this file; or check out the file that it was requested with",
        )
