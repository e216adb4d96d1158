"""Roll back and repair: both use the recorded plan, not the current pipeline file."""

from datetime import timedelta

from promoter.ledger.facts import Cause, Pinned
from promoter.ledger.state import Deployment, EnvironmentState
from promoter.model.diff import format_change
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.pipeline.model import LocalFile
from promoter.promotion import progress
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import Plan, changes
from promoter.promotion.promote import promote_to
from promoter.promotion.recorded_plan import recorded_plan
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.preflight import require_reachable
from promoter.usecases.promote import environment_context, promotion_options

NOT_RECORDED = "the ledger does not contain the plan with which release {0} was promoted to {1}"
FORWARD = "run `promoter rollback {0} --current-config` to use the configuration of the file; its gates must be open"


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


def repair(
    ctx: Context, environment: str | None, wait_lock: timedelta | None = None, *, force: bool = False, reason: str | None = None
) -> RunResult:
    """Restore what is recorded: the same release, plan and, where possible, containers.

    No new release enters and no gate is evaluated. A veto or a freeze stops it, except with `force` and a reason.
    """
    if force and not reason:
        raise CallerError("a repair despite a veto or a freeze needs a reason", hint="use --force --reason TEXT")
    names = tuple(ctx.pipeline.needs) if environment is None else (environment,)
    for name in names:
        require_environment(ctx, name)
    facts_so_far(ctx)
    plans = {name: _plan_there(ctx, name) for name in names}
    if environment is not None and plans[environment] is None:
        raise CallerError(f"nothing was promoted to {environment} yet", hint="run `promoter promote` first")
    there = {name: plan for name, plan in plans.items() if plan is not None}
    require_reachable(ctx, there.values())
    cause = Cause(reason=reason if force else None)
    results, releases = [], []
    for name, plan in there.items():
        terms = promotion_options(
            ctx, recorded=plan, explicit=True, wait_lock=wait_lock, force=reason if force else None, cause=cause
        )
        results.append(promote_to(environment_context(ctx, name, terms), plan.release))
        releases.append(plan.release)
        _report_end(ctx, results[-1])
    one = releases[0] if len({release.id for release in releases}) == 1 else None
    return record_deployments(ctx, RunResult(ctx.name, one, tuple(results)))


def recorded_plan_of(ctx: Context, environment: str, deployment: Deployment) -> Plan:
    """Return the recorded plan. Raise CallerError if it is missing, or if files of the pipeline have changed since."""
    release = ctx.ledger.state.releases[deployment.release].release
    document = ctx.ledger.plan_document(environment, deployment.plan_digest)
    if document is None:
        raise CallerError(NOT_RECORDED.format(release.short_id, environment), hint=FORWARD.format(environment))
    base = ctx.loaded.resolve(environment, release.source, release.id)
    plan = recorded_plan(document, base, release, ctx.pipeline.directory, steps_of)
    changed = [f.path for f in plan.environment.files if f.digest and _digest_now(ctx, plan, f) != f.digest]
    if changed:
        raise CallerError(
            f"{', '.join(changed)} has changed since release {release.short_id} ran in {environment}",
            hint=f"check out the earlier files ({release.source.short_sha or 'that release'}), or: "
            + FORWARD.format(environment),
        )
    return plan


# ------------------------------------------------------------ parts
def _digest_now(ctx: Context, plan: Plan, file: LocalFile) -> str | None:
    mounts = (mount for service in plan.environment.services.values() for mount in service.volumes)
    read_only = any(mount.source == file.source and mount.read_only for mount in mounts)
    return ctx.loaded.file_digest(file.path, read_only=read_only)


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
    here = ctx.ledger.state.releases[current.release].release
    before = ctx.ledger.plan_document(environment, current.plan_digest)
    commits = None
    if here.source.sha and plan.release.source.sha:
        commits = ctx.ports.source.commits(ctx.pipeline.directory, plan.release.source.sha, here.source.sha)
    lines = [
        f"{environment}: rolling back from release {here.short_id} to {plan.release.short_id}",
        *(f"{environment}: removes {commit}" for commit in commits or ()),
        *(f"{environment}: {format_change(change.document())}" for change in changes(before, plan.document())),
        f"{environment}: will be pinned: `promoter unpin {environment} --reason TEXT` allows promotions again",
    ]
    for line in lines:
        ctx.emit(progress.Notice(line))


def _plan_there(ctx: Context, name: str) -> Plan | None:
    current = ctx.ledger.state.environment(name).current
    return None if current is None else recorded_plan_of(ctx, name, current)


def _ended(ctx: Context, release: Release, result: EnvironmentResult) -> RunResult:
    _report_end(ctx, result)
    return record_deployments(ctx, RunResult(ctx.name, release, (result,)))


def _report_end(ctx: Context, result: EnvironmentResult) -> None:
    seconds = (result.duration_ms or 0) / 1000
    ctx.emit(progress.EnvironmentEnded(result.name, str(result.status), result.code, result.reasons, seconds))
