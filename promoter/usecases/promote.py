"""Promote a release through environments: `run` builds one first, `promote` uses an existing one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from promoter.model.release import Release
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.results import RunResult
from promoter.promotion.scheduler import Scheduler, upto
from promoter.usecases.build import make
from promoter.usecases.context import Context, find_release, require_environment
from promoter.usecases.deployment_records import record_deployments
from promoter.usecases.preflight import preflight


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
    return RunResult(ctx.name, release, results)


def promotion_options(ctx: Context, wait: timedelta | None = None, **more: Any) -> PromotionOptions:
    return PromotionOptions(
        ctx.owner,
        ctx.actor,
        wait,
        lease_ttl=ctx.lease_ttl,
        accept_engine=ctx.accept_engine,
        policy_ref=ctx.policy_ref,
        accept_ledger=ctx.accept_ledger,
        run=ctx.ci_run,
        **more,
    )


def environment_context(ctx: Context, name: str, terms: PromotionOptions) -> EnvironmentContext:
    return EnvironmentContext(ctx.loaded, ctx.ports, ctx.ledger, ctx.emit, name, terms)


def targets_upto(ctx: Context, to: str | None) -> tuple[str, ...]:
    if to is not None:
        require_environment(ctx, to)
    return upto(ctx.pipeline.needs, to)
