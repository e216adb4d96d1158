"""How a promotion ends: promoted, or failed with everything undone."""

from collections.abc import Callable

from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion.execution.completion import Ending
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.results import EnvironmentResult


def concluded(ending: Ending, act: Callable[[], EnvironmentResult]) -> EnvironmentResult:
    """Return the result of `act`, or of the failure that it raises. Raise only LeaseLost or EngineLost."""
    try:
        return act()
    except StepFailure as failure:
        return ending.failed(failure, interrupted=False)
    except Interrupted:
        return ending.failed(StepFailure(ReasonCode.INTERRUPTED, ("the run was interrupted",)), interrupted=True)
    except LeaseLost:
        raise
    except PromoterError as error:
        return ending.failed(of_error(error, ReasonCode.START_FAILED), interrupted=False)
