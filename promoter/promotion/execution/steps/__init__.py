"""The actions of each kind of step on the engine. A handler returns the detail of its `step_done` fact."""

from typing import assert_never

from promoter.promotion.execution.steps.check import check
from promoter.promotion.execution.steps.context import StepContext
from promoter.promotion.execution.steps.monitor import monitor
from promoter.promotion.execution.steps.pull import pull
from promoter.promotion.execution.steps.replace import replace_service
from promoter.promotion.execution.steps.retire import retire
from promoter.promotion.steps import Before, Monitor, Pull, Replace, Retire, Step, Verify

__all__ = ["StepContext", "execute"]


def execute(ctx: StepContext, step: Step) -> dict[str, object]:
    """Carry out one step. Raise StepFailure or PromoterError."""
    match step:
        case Pull():
            return pull(ctx, step)
        case Before() | Verify():
            return check(ctx, step)
        case Replace():
            return replace_service(ctx, step)
        case Monitor():
            return monitor(ctx, step)
        case Retire():
            return retire(ctx)
    assert_never(step)
