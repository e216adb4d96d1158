"""Promote a release through environments: `run` builds one first, `promote` uses an existing one."""

from dataclasses import replace
from datetime import timedelta

from promoter.model.release import Release
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.results import RunResult
from promoter.promotion.scheduler import Scheduler
from promoter.usecases.build import make
from promoter.usecases.context import Context, find_release
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.environments import environment_context, promotion_options, targets_upto
from promoter.usecases.preflight import preflight
from promoter.usecases.repair import repair_blocked


def run(ctx: Context, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None) -> RunResult:
    """Build, push, and promote as far as the gates allow."""
    targets = targets_upto(ctx, to)
    source = ctx.ports.source.source(ctx.pipeline.directory)
    preflight(ctx, targets, source, None)
    made = make(ctx, source)
    return record_deployments(ctx, _promote(ctx, made.release, targets, promotion_options(ctx, wait, wait_lock=wait_lock)))


def promote(
    ctx: Context, release: str | None, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None
) -> RunResult:
    """Continue promoting a release; this resumes a waiting run."""
    targets = targets_upto(ctx, to)
    chosen = find_release(ctx, release)
    preflight(ctx, targets, chosen.source, chosen)
    terms = promotion_options(ctx, wait, pass_older=True, wait_lock=wait_lock)
    return record_deployments(ctx, _promote(ctx, chosen, targets, terms, explicit=to))


def _promote(
    ctx: Context, release: Release, targets: tuple[str, ...], terms: PromotionOptions, explicit: str | None = None
) -> RunResult:
    def enter(name: str) -> EnvironmentContext:
        asked_for = name == explicit
        return environment_context(ctx, name, terms if not asked_for else replace(terms, pass_older=False, explicit=True))

    results = Scheduler(ctx.pipeline.needs, targets, enter, ctx.emit).go(release)
    return RunResult(ctx.name, release, tuple(repair_blocked(ctx, one) for one in results))
