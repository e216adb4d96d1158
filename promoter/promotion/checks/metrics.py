"""Query Prometheus as often as needed. `gates/metric.py` interprets the samples.

A gate queries once, for a past time span. A verification queries at each point in time as it arrives.
"""

import math
from urllib.parse import urlencode

from promoter.gates.context import CheckResult
from promoter.gates.metric import (
    MetricCheck,
    NoData,
    accepted,
    describe_measurement,
    hopeless,
    measure,
    parse_condition,
    range_ending_at,
    range_starting_at,
)
from promoter.gates.prometheus import BadAnswer, Series, Span, read_answer
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.promotion.ports.probes import HttpRequest, Probes
from promoter.promotion.ports.secrets import Secrets

PAUSE = 1.0
"""Seconds between two queries while there is no answer yet."""


class Metric:
    """One measurement, from its first query to its result."""

    def __init__(self, check: MetricCheck, clock: Clock, probes: Probes, secrets: Secrets, *, fresh: bool) -> None:
        self._check, self._clock, self._probes, self._secrets = check, clock, probes, secrets
        self._ahead = range_starting_at(check, self._now()) if fresh else None
        self._silent_until = self._data_until = clock.monotonic() + check.within.total_seconds()

    def run(self) -> CheckResult:
        while True:
            span = range_ending_at(self._check, self._now()) if self._ahead is None else self._ahead.until(self._now())
            found = self._once(span)
            if isinstance(found, CheckResult):
                return found
            pause = self._pause()
            if self._clock.monotonic() + pause > found.until:
                return self._result(passed=False, text=f"{found.text}, for {format_duration(self._check.within)}", timed_out=True)
            self._clock.sleep(pause)

    def _once(self, span: Span) -> "CheckResult | _More":
        check, within = self._check, self._check.within.total_seconds()
        if not span.points:
            return _More("", math.inf)
        try:
            seen = measure(self._ask(span), parse_condition(check.condition), span.points)
        except BadAnswer as fault:
            return _More(str(fault), self._silent_until) if fault.again else self._result(passed=False, text=str(fault))
        self._silent_until = self._clock.monotonic() + within
        text = describe_measurement(seen, check.condition)
        if hopeless(check, seen):
            return self._result(passed=False, text=text)
        if seen.missing and check.no_data is NoData.WAIT:
            if self._ahead is not None:  # points without data stay without data: start the time span again
                self._ahead = range_starting_at(check, self._now() + round(PAUSE * 1000))
            return _More(text, self._data_until)
        return self._result(passed=accepted(check, seen), text=text) if span.points == check.points else _More(text, math.inf)

    def _pause(self) -> float:
        """Return the seconds until the next point in time."""
        ahead, now = self._ahead, self._now()
        if ahead is None or (reached := ahead.until(now).points) == ahead.points:
            return PAUSE
        return max(0.001, (ahead.start + ahead.step * reached - now) / 1000)

    def _ask(self, span: Span) -> tuple[Series, ...]:
        reveal = self._secrets.reveal
        asked = {
            "query": reveal(self._check.query),
            "start": _seconds(span.start),
            "end": _seconds(span.end),
            "step": _seconds(span.step),
        }
        url = f"{reveal(self._check.url).rstrip('/')}/api/v1/query_range?{urlencode(asked)}"
        headers = {name: reveal(value) for name, value in self._check.headers.items()}
        timeout = max(0.2, self._silent_until - self._clock.monotonic())
        answer = self._probes.http(HttpRequest(url, "GET", {"Accept": "application/json", **headers}, timeout))
        if answer.status is None:
            raise BadAnswer(answer.error or "no answer", again=True)
        return read_answer(answer.status, answer.body, span)

    def _result(self, *, passed: bool, text: str, timed_out: bool = False) -> CheckResult:
        text = self._secrets.redact(text)
        return CheckResult(passed, f"{self._check.subject()}: {text}", timed_out, text)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


@dataclass(frozen=True)
class _More:
    """The result is not known yet; `until` is the end of the wait."""

    text: str
    until: float


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
