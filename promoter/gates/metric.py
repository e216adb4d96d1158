"""Metric checks: every sample of a Prometheus query over a time range must satisfy a condition.

This module has the model, the times of the query and the evaluation of the series. A measurement is one
point in time: it fails if any series does not satisfy the condition then. `prometheus.py` reads responses.
"""

import math
import operator
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum, auto
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from promoter.config.spec import Duration
from promoter.config.spec_errors import misfit
from promoter.gates.check_base import CheckShape
from promoter.gates.prometheus import Series, Span
from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.model.pattern import pattern

MOST_POINTS = 11_000
"""The maximum number of samples that Prometheus returns for one series."""
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = pattern(r"\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Condition:
    """A condition for the value of a sample, such as `< 0.01`."""

    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        return _SIGNS[self.sign](value, self.limit)


def parse_condition(text: str) -> Condition:
    """Read a condition. Raise Misfit if it is not one."""
    found = _CONDITION.fullmatch(text)
    if found is None or not math.isfinite(float(found[2])):
        raise misfit(f"{text!r} is not a condition", 'write one of < <= > >= == != and a number: for example "< 0.01"')
    return Condition(found[1], float(found[2]))


def _check_condition(text: str) -> str:
    parse_condition(text)
    return text.strip()


class NoData(StrEnum):
    """What happens if a point in time has no sample, or one that is not a number."""

    FAIL = auto()
    WAIT = auto()
    PASS = auto()


class MetricCheck(CheckShape):
    """Queries Prometheus at `url` for `query` over a time range of `for`, with one sample each `interval`.

    The time range of a gate ends now. That of a verification begins when the verification starts.
    """

    kind: ClassVar[str] = "metric"

    url: str = Field(pattern=r"^https?://([^\s?#]|\{\{ secret\('[^']*'\) \}\})+$")
    query: str = Field(min_length=1)
    condition: Annotated[str, AfterValidator(_check_condition)]
    for_: Duration = Field(default=timedelta(0), alias="for")
    interval: Duration = timedelta(seconds=15)
    failure_limit: int = Field(default=0, ge=0)
    no_data: NoData = NoData.FAIL
    within: Duration = timedelta(seconds=30)
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.interval < timedelta(milliseconds=1):
            raise misfit("`interval` must be at least 1ms", None, ("interval",))
        if self.points > MOST_POINTS:
            sentence = f"{self.points} samples are more than the maximum of Prometheus ({MOST_POINTS})"
            raise misfit(sentence, "make `interval` longer or `for` shorter", ("interval",))
        if self.failure_limit >= self.points:
            sentence = (
                f"there {'is 1 sample' if self.points == 1 else f'are {self.points} samples'}, so this check could never fail"
            )
            raise misfit(
                sentence,
                "set `failure_limit` lower than the number of samples (`for` divided by `interval`, plus one)",
                ("failure_limit",),
            )
        return self

    @property
    def step_ms(self) -> int:
        return max(1, round(self.interval.total_seconds() * 1000))

    @property
    def points(self) -> int:
        """Return the number of points in time: both ends of the range, and the steps between."""
        return -(-round(self.for_.total_seconds() * 1000) // self.step_ms) + 1

    def subject(self) -> str:
        over = f" for {format_duration(self.for_)}" if self.for_ else ""
        return f"metric {' '.join(self.query.split())} {self.condition}{over}"


def range_ending_at(check: MetricCheck, now_ms: int) -> Span:
    """Return the range that ends now. Its points are multiples of the step, because some servers align them."""
    end = now_ms if check.points == 1 else now_ms - now_ms % check.step_ms
    return Span(end - check.step_ms * (check.points - 1), check.step_ms, check.points)


def range_starting_at(check: MetricCheck, start_ms: int) -> Span:
    """Return the range whose first point is not before `start_ms`."""
    start = start_ms if check.points == 1 else start_ms + -start_ms % check.step_ms
    return Span(start, check.step_ms, check.points)


@dataclass(frozen=True)
class Measured:
    """The number of points in time that failed or have no data. `worst` is shown to people."""

    points: int
    failing: int
    missing: int
    series: int
    worst: str = ""


def measure(series: tuple[Series, ...], condition: Condition, points: int) -> Measured:
    """Evaluate the first `points` of the range."""
    failing, missing, worst = 0, 0, ""
    for point in range(points):
        values = [(one.labels, one.samples.get(point)) for one in series]
        broken = [(labels, value) for labels, value in values if value is not None and not condition.holds(value)]
        if broken:
            failing += 1
            worst = worst or "{} is {:g}".format(*broken[0])
        elif not values or any(value is None for _, value in values):
            missing += 1
    return Measured(points, failing, missing, len(series), worst)


def accepted(check: MetricCheck, seen: Measured) -> bool:
    """Return whether it passes: failing points by `failure_limit`, missing ones by `no_data`."""
    match check.no_data:
        case NoData.FAIL:
            return seen.failing + seen.missing <= check.failure_limit  # which is lower than the number of points
        case NoData.WAIT:
            return seen.failing <= check.failure_limit and not seen.missing
        case NoData.PASS:
            return seen.failing <= check.failure_limit


def hopeless(check: MetricCheck, seen: Measured) -> bool:
    """Return whether it has failed for certain: more samples cannot change that."""
    return seen.failing > check.failure_limit


def describe_measurement(seen: Measured, condition: str) -> str:
    if seen.missing == seen.points:
        return "no data" if seen.points == 1 else f"no data at any of {seen.points} points in time"
    parts = []
    if seen.failing:
        parts.append(f"not {condition} at {seen.failing} of {_points(seen.points)}: {seen.worst}")
    if seen.missing:
        parts.append(f"no data at {seen.missing} of {_points(seen.points)}")
    return "; ".join(parts) or f"{condition} at {_points(seen.points)}, {seen.series} series"


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'} in time"
