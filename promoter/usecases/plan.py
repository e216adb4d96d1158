"""Plan what `promote` would do. Change nothing."""

from contextlib import suppress
from itertools import islice

from promoter.model.errors import EngineError
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.image_volumes import unnamed_volumes
from promoter.pipeline.hosts import batches
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.expected_gap import expected_gap
from promoter.promotion.inspection.current import is_current
from promoter.promotion.plan import Plan, changes
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.assumed_plan import plan_with_recorded_secrets
from promoter.usecases.context import Context, find_release
from promoter.usecases.environments import environment_context, promotion_options, targets_upto


def plan(ctx: Context, release: str | None, to: str | None) -> RunResult:
    """Return what `promote` would do. Change nothing and run no checks."""
    ctx.ledger.glance()
    targets = targets_upto(ctx, to)
    chosen = find_release(ctx, release)
    results = tuple(_planned(ctx, environment_context(ctx, name, promotion_options(ctx)), chosen) for name in targets)
    return RunResult(ctx.name, chosen, results)


def _planned(ctx: Context, env: EnvironmentContext, release: Release) -> EnvironmentResult:
    plan, missing = plan_with_recorded_secrets(ctx, env.controller, release)
    current = ctx.ledger.state.environment(env.name).current
    admission = env.controller.evaluate(plan, run_checks=False)
    unchanged = is_current(env.entry, plan)
    down = _down(env, plan) if unchanged else ()
    document = plan.document()
    before = ctx.ledger.plan_document(env.name, current.plan_digest) if current else None
    details = {
        "from": current.release if current else None,
        "to": release.id,
        "steps": [{"id": step.id, "kind": type(step).__name__.lower(), "title": step.title} for step in plan.steps],
        "gates": admission.documents(),
        "changes": [change.document() for change in changes(before, document)],
        "unnamed_volumes": _unnamed_volumes(ctx, plan),
        "repair": list(down),
        "assumed_secrets": list(missing),
        "gap": expected_gap(plan, before).document(),
        **_batches(plan),
    }
    previous = current.release if current else None
    status, code, reasons = Status.PENDING, ReasonCode.OK, tuple(f"{fault}: `promoter promote` repairs it" for fault in down)
    if not down and unchanged:
        status, code = Status.UNCHANGED, ReasonCode.NOTHING_TO_DO
    if not unchanged:
        code = admission.blocking.verdict.code if admission.blocking else ReasonCode.OK
        reasons = tuple(one.verdict.sentence for one in admission.results if one.verdict.code is not ReasonCode.OK)
    return EnvironmentResult(env.name, status, code, reasons, plan.digest, previous, details=details)


def _batches(plan: Plan) -> dict[str, object]:
    """Return the names of the hosts of each batch, in an environment with several."""
    rollout, names = plan.environment.rollout, iter(host.name for host in plan.environment.hosts)
    if rollout is None:
        return {}
    return {"batches": [list(islice(names, size)) for size in batches(rollout.batches, len(plan.environment.hosts))]}


def _down(env: EnvironmentContext, plan: Plan) -> tuple[str, ...]:
    """Return a sentence for each recorded service that does not serve now; none if the engine does not answer."""
    with suppress(EngineError):
        return env.faults(plan)
    return ()


def _unnamed_volumes(ctx: Context, plan: Plan) -> dict[str, list[str]]:
    """Return paths of unnamed volumes by service. Images that the engine does not have are skipped."""
    found: dict[str, list[str]] = {}
    with suppress(EngineError):
        engine = ctx.ports.engine(plan.environment.hosts[0].engine)
        for name, service in plan.environment.services.items():
            if paths := unnamed_volumes(engine.image_volumes(plan.images[name]), service):
                found[name] = list(paths)
    return found
