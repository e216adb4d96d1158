"""One policy of trying again, for every adapter: only what says of itself that another try may help.

Growing waits with jitter, a few attempts; longer ones if the server asks for them, up to a limit. The wait is
injected, so that Ctrl-C ends it and tests do not wait.
"""

import time
from collections.abc import Callable
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar

from promoter.model.errors import WorldError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
TIMEOUT = 60.0
"""The longest pause in seconds. If a server asks for a longer one, the error is reported instead."""


def jitter(longest: float) -> float:
    """Seconds to wait, by chance, so that those who were beaten together do not come back together."""
    return SystemRandom().uniform(0, longest)


class Retry:
    """`retry(call)` gives what `call()` gives; its last error when no attempt worked."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep, attempts: int = 4) -> None:
        self._sleep, self._attempts = sleep, attempts

    def __call__(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except WorldError as error:
            if not _worth_it(error) or self._attempts < 2:
                raise
            return self._again(call, error)

    def _again(self, call: Callable[[], T], first: WorldError) -> T:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter  # only failures pay

        failed = [first]

        def attempt() -> T:
            if failed:
                raise failed.pop()
            return call()

        usual = wait_exponential_jitter(multiplier=0.2, max=3.0, jitter=0.2)
        policy = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=lambda state: max(usual(state), _asked_for(state)),
            retry=retry_if_exception(lambda error: isinstance(error, WorldError) and _worth_it(error)),
            sleep=self._sleep,
            reraise=True,
        )
        return policy(attempt)


def _worth_it(error: WorldError) -> bool:
    return error.retryable and (error.retry_after or 0.0) <= TIMEOUT


def _asked_for(state: "RetryCallState") -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return (error.retry_after or 0.0) if isinstance(error, WorldError) else 0.0
