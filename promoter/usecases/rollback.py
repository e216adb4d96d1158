"""Roll back and repair: both use the recorded plan, not the current pipeline file."""

from datetime import timedelta

from promoter.ledger.deployment import Deployment
from promoter.ledger.facts import Cause, Pinned
from promoter.ledger.state import EnvironmentState
from promoter.model.diff import format_change
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.promotion import progress
from promoter.promotion.admission.barrier import barrier_before, barrier_text
from promoter.promotion.plan import Plan, changes
from promoter.promotion.promote import promote_to
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.environments import environment_context, promotion_options
from promoter.usecases.preflight import require_reachable
from promoter.usecases.recorded import recorded_plan_of
from promoter.usecases.repair import report_end


def rollback(
    ctx: Context,
    environment: str,
    to: str | None,
    reason: str | None,
    wait_lock: timedelta | None = None,
    *,
    current_config: bool = False,
) -> RunResult:
    """Promote an earlier verified release with the configuration that it ran with, and pin the environment.

    `current_config` takes the configuration of the file instead: that is a promotion that must pass the gates.
    A rollback that was interrupted before its pin was recorded is completed; it does not go back a second time.
    """
    require_environment(ctx, environment)
    facts_so_far(ctx)
    entry = ctx.ledger.state.environment(environment)
    cut_off = entry.unfinished_rollback
    target = _target(ctx, environment, entry, to or (entry.current.release if cut_off and entry.current else None))
    release = ctx.ledger.state.releases[target.release].release
    done = cut_off is not None or (entry.current is not None and entry.current.rollback and not current_config)
    _not_what_runs(environment, entry, release, again=done)
    plan = None if current_config else recorded_plan_of(ctx, environment, target)
    left = entry.current.release if entry.current else None
    why = reason or (cut_off.reason if cut_off else f"rolled back from {(left or 'nothing')[:12]} to {release.short_id}")
    cause = Cause(rollback=True, reason=why)
    terms = promotion_options(ctx, rollback=not current_config, recorded=plan, explicit=True, wait_lock=wait_lock, cause=cause)
    env = environment_context(ctx, environment, terms)
    chosen = plan or env.controller.plan(release)
    require_reachable(ctx, (chosen,))
    _announce(ctx, environment, entry, chosen)
    result = promote_to(env, release)
    if result.status in (Status.DEPLOYED, Status.UNCHANGED) and entry.pinned in (None, cut_off):
        ctx.ledger.append(Pinned(reason=why), environment, release.id)
    return _ended(ctx, release, result)


# ------------------------------------------------------------ parts
def _target(ctx: Context, environment: str, entry: EnvironmentState, to: str | None) -> Deployment:
    state = ctx.ledger.state
    if to is not None:
        release = find_release(ctx, to)
        found = next((d for _, d in entry.verified.backwards() if d.release == release.id), None)
        if found is None:
            raise CallerError(
                f"release {release.short_id} was never verified in {environment}, so {environment} cannot be rolled back to it",
                hint=f"`promoter history {environment}` shows earlier releases; "
                f"`promoter promote {release.short_id} --to {environment}` promotes it",
            )
        return found
    earlier = state.last_verified_before(environment, entry.current.release) if entry.current else None
    if earlier is None:
        raise CallerError(
            f"{environment} has no earlier verified release to roll back to",
            hint=f"`promoter history {environment}` shows earlier releases",
        )
    return earlier


def _not_what_runs(environment: str, entry: EnvironmentState, release: Release, *, again: bool) -> None:
    """Raise CallerError if the release runs already. The same rollback may be repeated: it does nothing."""
    if again or entry.current is None or entry.current.release != release.id or entry.start is not None:
        return
    raise CallerError(
        f"release {release.short_id} runs in {environment} already, so there is nothing to roll back",
        hint=f"`promoter repair {environment}` restores it when it is down; "
        f"`promoter promote {release.short_id} --to {environment}` promotes it with the configuration of the file",
    )


def _announce(ctx: Context, environment: str, entry: EnvironmentState, plan: Plan) -> None:
    """Report what the rollback removes, before anything is changed."""
    current = entry.current
    if current is None:
        return
    running = ctx.ledger.state.releases[current.release].release
    before = ctx.ledger.plan_document(environment, current.plan_digest)
    commits = None
    if running.source.sha and plan.release.source.sha:
        commits = ctx.ports.source.commits(ctx.pipeline.directory, plan.release.source.sha, running.source.sha)
    barrier = barrier_before(ctx.ledger.state, environment, plan.release)
    lines = [
        f"{environment}: rolling back from release {running.short_id} to {plan.release.short_id}",
        *(f"{environment}: removes {commit}" for commit in commits or ()),
        *(f"{environment}: {format_change(change.document())}" for change in changes(before, plan.document())),
        *((f"{environment}: goes back across {barrier_text(barrier)}",) if barrier is not None else ()),
        f"{environment}: will be pinned: `promoter unpin {environment} --reason TEXT` allows promotions again",
    ]
    for line in lines:
        ctx.emit(progress.Notice(line))


def _ended(ctx: Context, release: Release, result: EnvironmentResult) -> RunResult:
    report_end(ctx, result)
    return record_deployments(ctx, RunResult(ctx.name, release, (result,)))
