"""Compute the time in which a client got no answer: an outage of a dependency counts as an outage of the service. Pure."""

from collections.abc import Mapping, Sequence

from promoter.pipeline.compose.service import Service
from promoter.promotion.plan import dependencies

Interval = tuple[float, float]
"""Seconds from and to, on one clock."""


def outage(down: Mapping[str, Sequence[Interval]], services: Mapping[str, Service]) -> float | None:
    """Return the longest outage of any service, in seconds; None if there was no outage.

    `down` has, for each service, one interval for each of its replicas that was down.
    """
    own = {name: common(intervals, services[name].replicas if name in services else 1) for name, intervals in down.items()}
    names = {*services, *own}
    found = [
        _total([*own.get(name, ()), *(i for other in dependencies(services, name) for i in own.get(other, ()))]) for name in names
    ]
    return max(found) if any(down.values()) else None


def common(intervals: Sequence[Interval], replicas: int) -> list[Interval]:
    """Return when all replicas of a service were down at once."""
    if not intervals or len(intervals) < replicas:
        return []
    begin, end = max(i[0] for i in intervals), min(i[1] for i in intervals)
    return [(begin, end)] if begin < end else []


def _total(intervals: Sequence[Interval]) -> float:
    """Return the total length of the intervals; overlaps count once."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
