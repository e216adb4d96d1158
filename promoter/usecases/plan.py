"""Plan what `promote` would do. Change nothing."""

from contextlib import suppress

from promoter.model.errors import EngineError
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.image_volumes import unnamed_volumes
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.plan import Plan, changes
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.context import Context, find_release
from promoter.usecases.promote import environment_context, promotion_options, targets_upto


def plan(ctx: Context, release: str | None, to: str | None) -> RunResult:
    """Return what `promote` would do. Change nothing and run no checks."""
    ctx.ledger.glance()
    targets = targets_upto(ctx, to)
    chosen = find_release(ctx, release)
    results = tuple(_planned(ctx, environment_context(ctx, name, promotion_options(ctx)), chosen) for name in targets)
    return RunResult(ctx.name, chosen, results)


def _planned(ctx: Context, env: EnvironmentContext, release: Release) -> EnvironmentResult:
    plan = env.controller.plan(release)
    current = ctx.ledger.state.environment(env.name).current
    admission = env.controller.evaluate(plan, run_checks=False)
    unchanged = current is not None and (current.release, current.plan_digest) == (release.id, plan.digest)
    document = plan.document()
    before = ctx.ledger.plan_document(env.name, current.plan_digest) if current else None
    details = {
        "from": current.release if current else None,
        "to": release.id,
        "steps": [{"id": step.id, "kind": type(step).__name__.lower(), "title": step.title} for step in plan.steps],
        "gates": admission.documents(),
        "changes": [change.document() for change in changes(before, document)],
        "unnamed_volumes": _unnamed_volumes(ctx, plan),
    }
    blocking = [one.verdict for one in admission.results if one.verdict.code is not ReasonCode.OK]
    status = Status.UNCHANGED if unchanged else Status.PENDING
    code = ReasonCode.NOTHING_TO_DO if unchanged else (blocking[0].code if blocking else ReasonCode.OK)
    reasons = tuple(verdict.sentence for verdict in blocking)
    previous = current.release if current else None
    return EnvironmentResult(env.name, status, code, reasons, plan.digest, previous, details=details)


def _unnamed_volumes(ctx: Context, plan: Plan) -> dict[str, list[str]]:
    """Return paths of unnamed volumes by service. Images that the engine does not have are skipped."""
    found: dict[str, list[str]] = {}
    with suppress(EngineError):
        engine = ctx.ports.engine(plan.environment.engines[0])
        for name, service in plan.environment.services.items():
            if paths := unnamed_volumes(engine.image_volumes(plan.images[name]), service):
                found[name] = list(paths)
    return found
