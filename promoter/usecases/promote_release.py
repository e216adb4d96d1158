"""Promote a release through environments. It imports all that a promotion needs, so a run imports it while it builds."""

from dataclasses import replace

from promoter.model.release import Release
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.results import RunResult
from promoter.promotion.scheduler import Scheduler
from promoter.usecases.context import Context
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.environments import environment_context
from promoter.usecases.repair import repair_blocked


def promote_release(
    ctx: Context, release: Release, targets: tuple[str, ...], terms: PromotionOptions, explicit: str | None = None
) -> RunResult:
    """Promote as far as the gates allow. `explicit` is the environment that was named on the command line."""

    def enter(name: str) -> EnvironmentContext:
        asked_for = name == explicit
        return environment_context(ctx, name, terms if not asked_for else replace(terms, pass_older=False, explicit=True))

    results = Scheduler(ctx.pipeline.needs, targets, enter, ctx.emit).go(release)
    return record_deployments(ctx, RunResult(ctx.name, release, tuple(repair_blocked(ctx, one) for one in results)))
