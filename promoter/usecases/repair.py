"""Repair environments: restore what the ledger recorded, with the recorded plan and not the current pipeline file."""

from dataclasses import replace
from datetime import timedelta

from promoter.gates.rule import Rule
from promoter.ledger.facts import Cause
from promoter.model.errors import CallerError, EngineError
from promoter.promotion import progress
from promoter.promotion.plan import Plan
from promoter.promotion.promote import promote_to
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.environments import environment_context, promotion_options
from promoter.usecases.preflight import require_reachable
from promoter.usecases.recorded import recorded_plan_of


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
        report_end(ctx, results[-1])
    one = releases[0] if len({release.id for release in releases}) == 1 else None
    return record_deployments(ctx, RunResult(ctx.name, one, tuple(results)))


_OTHER_TARGET = (Rule.ENGINE, Rule.LEDGER, Rule.DIGESTS)
"""A blocked promotion says by these that something else than the recorded containers is there: it is left alone."""


def repair_blocked(ctx: Context, result: EnvironmentResult) -> EnvironmentResult:
    """Repair what is recorded in an environment that a newer release could not enter: it must not stay down while that waits."""
    entry = ctx.ledger.state.environment(result.name)
    if result.status not in (Status.PENDING, Status.REFUSED) or entry.start is not None:
        return result
    if any(one.kind in _OTHER_TARGET for one in result.closed):
        return result
    try:
        plan = _plan_there(ctx, result.name)
        env = environment_context(ctx, result.name, promotion_options(ctx, recorded=plan, explicit=True))
        down = env.faults(plan) if plan is not None else ()
    except (CallerError, EngineError):
        return result  # it cannot be repaired from here: the answer to the promotion stays
    if plan is None or not down:
        return result
    repaired = promote_to(env, plan.release)
    what, failed = f"{result.name} was down ({', '.join(down)})", (Status.FAILED, Status.ROLLED_BACK)
    if repaired.status in (Status.DEPLOYED, Status.UNCHANGED):
        return replace(result, reasons=(*result.reasons, f"{what}: release {plan.release.short_id} was repaired"))
    reasons = (*result.reasons, f"{what} and was not repaired", *(r for r in repaired.reasons if r not in result.reasons))
    if repaired.status in failed:
        return replace(result, reasons=reasons, status=Status.FAILED, code=repaired.code)
    return replace(result, reasons=reasons)


# ------------------------------------------------------------ parts
def _plan_there(ctx: Context, name: str) -> Plan | None:
    current = ctx.ledger.state.environment(name).current
    return None if current is None else recorded_plan_of(ctx, name, current)


def report_end(ctx: Context, result: EnvironmentResult) -> None:
    seconds = (result.duration_ms or 0) / 1000
    ctx.emit(progress.EnvironmentEnded(result.name, str(result.status), result.code, result.reasons, seconds))
