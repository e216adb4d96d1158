import pytest

from promoter.adapters.retry import Retry
from promoter.model.errors import EngineError, ForgeError


class Call:
    """Raise each error of `errors`, then return the result."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.count = list(errors), 0

    def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def passing() -> EngineError:
    return EngineError("away", retryable=True)


def test_what_passes_is_tried_again_with_growing_waits():
    waits: list[float] = []
    call = Call(passing(), passing(), passing())
    assert Retry(waits.append)(call) == "done"
    assert call.count == 4 and len(waits) == 3 and 0.2 <= waits[0] < waits[1] < waits[2] <= 3


def test_the_last_error_is_raised_when_no_try_worked():
    last = passing()
    call = Call(passing(), last, passing())
    with pytest.raises(EngineError) as caught:
        Retry(lambda _: None, attempts=2)(call)
    assert caught.value is last and call.count == 2


@pytest.mark.parametrize("error", [EngineError("gone"), ValueError("no")])
def test_a_permanent_error_is_not_retried(error):
    call = Call(error)
    with pytest.raises(type(error)):
        Retry(pytest.fail)(call)
    assert call.count == 1


def test_retry_after_is_respected_up_to_a_limit():
    waits: list[float] = []
    soon, late = ForgeError("busy", retryable=True, retry_after=9.0), ForgeError("busy", retryable=True, retry_after=61.0)
    assert Retry(waits.append)(Call(soon)) == "done" and waits == [9.0]
    for call in (Call(late), Call(soon, late)):
        with pytest.raises(ForgeError) as caught:
            Retry(waits.append)(call)
        assert caught.value is late
    assert waits == [9.0, 9.0]


def test_a_permanent_error_ends_the_retries():
    call = Call(passing(), EngineError("gone"), passing())
    with pytest.raises(EngineError, match="gone"):
        Retry(lambda _: None)(call)
    assert call.count == 2
