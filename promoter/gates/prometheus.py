"""Read the response of Prometheus to a range query, strictly: series and samples, or an error."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promoter.model.dataclass import dataclass


@dataclass(frozen=True)
class Span:
    """The points in time of one query, in milliseconds since 1970: `points` of them, `step` apart."""

    start: int
    step: int
    points: int

    @property
    def end(self) -> int:
        return self.start + self.step * (self.points - 1)

    def until(self, now: int) -> "Span":
        """Return the number of points that are in the past."""
        return replace(self, points=max(0, min(self.points, (now - self.start) // self.step + 1)))


class BadAnswer(Exception):
    """The response is not a measurement; the message says why. `again`: a retry may help."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


@dataclass(frozen=True)
class Series:
    """One series: its labels as in PromQL, and its samples by the index of their point in time."""

    labels: str
    samples: Mapping[int, float]


def read_answer(status: int, body: str, span: Span) -> tuple[Series, ...]:
    """Read the series of a `query_range` response. Raise BadAnswer if any part is invalid."""
    answer = _document(status, body)
    if answer.get("status") != "success":
        sentence = f"{answer.get('errorType') or f'status {status}'}: {answer.get('error') or 'without a reason'}"
        raise BadAnswer(f"the server answers {sentence}", again=status >= 500)
    if answer.get("warnings"):
        raise BadAnswer(f"the server warns that the answer may be incomplete: {'; '.join(map(str, answer['warnings']))[:500]}")
    data = answer.get("data")
    found = data.get("resultType") if isinstance(data, dict) else None
    if status != 200 or found != "matrix" or not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise BadAnswer(f"expected a matrix, got {found or 'something else'} (status {status})")
    return tuple(_series(one, span) for one in data["result"])


def _document(status: int, body: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        sentence = "is too long: aggregate the query" if len(body) >= 1 << 20 else "is not from a Prometheus server"
        raise BadAnswer(f"the answer (status {status}) {sentence}", again=status >= 500) from error
    if not isinstance(answer, dict):
        raise BadAnswer(f"the answer (status {status}) is not from a Prometheus server")
    return answer


def _series(one: object, span: Span) -> Series:
    if not isinstance(one, dict) or not isinstance(one.get("metric"), dict):
        raise BadAnswer("the answer has a series without labels")
    labels = _format_labels(one["metric"])
    if one.get("histograms") or not isinstance(one.get("values"), list):
        raise BadAnswer(f"{labels} has no plain numbers: use for example histogram_quantile()")
    samples: dict[int, float] = {}
    for sample in one["values"]:
        point, value = _sample(sample, labels, span)
        if not math.isnan(value):
            samples[point] = value
    return Series(labels, samples)


def _sample(sample: Any, labels: str, span: Span) -> tuple[int, float]:
    try:
        at, text = sample
        offset, value = round(float(at) * 1000) - span.start, float(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadAnswer(f"a sample of {labels} is not a pair of time and number") from error
    point, rest = divmod(offset, span.step)
    if rest or not 0 <= point < span.points:
        raise BadAnswer(f"{labels} has a sample at an unexpected time")
    return point, value


def _format_labels(metric: dict[str, Any]) -> str:
    inside = ", ".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    name = str(metric.get("__name__", ""))
    return f"{name}{{{inside}}}" if inside else name or "the value"
