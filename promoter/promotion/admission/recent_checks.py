"""Recent results of checks. They avoid a second run under the lease, and repeated runs while a run waits for votes."""

from collections.abc import Callable

from promoter.gates.checks import Check
from promoter.gates.context import CheckResult
from promoter.model.clock import Clock

FRESH = 60.0
"""Seconds for which the result of a check counts."""


class RecentChecks:
    """The last result of each check of a plan, with its time. A failed check is always run again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, CheckResult]] = {}

    def result(self, plan_digest: str, check: Check, run: Callable[[], CheckResult]) -> CheckResult:
        key, now = f"{plan_digest} {check.model_dump_json()}", self._clock.monotonic()
        known = self._found.get(key)
        if known is not None and (known[1].passed or check.dry_run) and now - known[0] < FRESH:
            return known[1]
        result = run()
        self._found[key] = (now, result)
        return result
