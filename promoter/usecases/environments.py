"""The environments that a command names, and the options of its promotions."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from promoter.pipeline.dag import upto
from promoter.promotion.admission.options import PromotionOptions
from promoter.usecases.context import Context, require_environment

if TYPE_CHECKING:
    from promoter.promotion.environment import EnvironmentContext


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


def environment_context(ctx: Context, name: str, terms: PromotionOptions) -> "EnvironmentContext":
    from promoter.promotion.environment import EnvironmentContext  # slow to import: a run asks the engine first

    return EnvironmentContext(ctx.loaded, ctx.ports, ctx.ledger, ctx.emit, name, terms)


def targets_upto(ctx: Context, to: str | None) -> tuple[str, ...]:
    if to is not None:
        require_environment(ctx, to)
    return upto(ctx.pipeline.needs, to)
