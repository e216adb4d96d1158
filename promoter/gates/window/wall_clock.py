"""Local times and weeks: the instant of a local time, and the hours of the week in which a promotion may start.

All arithmetic is done on local times and converted to instants at the end, so that a day with 23
or 25 hours is right. A local time that does not exist counts as the first instant after the gap. What begins in an
hour that comes twice begins in the first of them, and what ends in it ends in the second.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from promoter.model.pattern import pattern

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANGE = pattern(r"(?:([a-z]{3})(?:-([a-z]{3}))? )?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_EARLIEST, _LATEST = datetime.combine(date(2, 1, 1), time.min), datetime.combine(date(9998, 12, 31), time.min)
"""Local times. Time zones fail beyond these limits."""
_TICK = timedelta(microseconds=1)
_TWO_WEEKS = range(-2, 15)
"""Days to search around an instant: a range of the day before may cover it, and an opening may fall into a gap."""


class Range(NamedTuple):
    """Weekdays (Monday is 0), start and end in minutes after midnight; an end beyond 24 h is on the next day."""

    weekdays: frozenset[int]
    start: int
    end: int


class Span(NamedTuple):
    """A period between two instants. The end is exclusive."""

    begins: datetime
    ends: datetime


class Week:
    """The ranges of `allow` in one time zone; without any it is always open. Computed days are cached."""

    def __init__(self, zone: tzinfo, allow: tuple[str, ...]) -> None:
        self._zone, self._ranges = zone, tuple(read_range(text) for text in allow)
        self._spans: dict[date, tuple[Span, ...]] = {}

    def opens(self, at: datetime) -> datetime | None:
        """Return `at` if it is inside an opening, else the next opening. Openings are ordered by day, so the first one counts."""
        if not self._ranges:
            return at
        today = at.astimezone(self._zone).date()
        for offset in _TWO_WEEKS:
            begins = [span.begins for span in self._on(today + timedelta(days=offset)) if span.ends > at]
            if begins:
                return max(min(begins), at)
        return None

    def _on(self, day: date) -> tuple[Span, ...]:
        if day not in self._spans:
            midnight = datetime.combine(day, time())
            found = (
                Span(
                    instant(self._zone, midnight + timedelta(minutes=one.start)),
                    instant(self._zone, midnight + timedelta(minutes=one.end), last=True),
                )
                for one in self._ranges
                if day.weekday() in one.weekdays
            )
            self._spans[day] = tuple(span for span in found if span.begins < span.ends)
        return self._spans[day]


def instant(zone: tzinfo, wall: datetime, *, last: bool = False) -> datetime:
    """Return when local clocks show `wall` (without a zone) for the first time.

    With `last`, return from when on they show no time before `wall`. If 01:00 to 02:00 comes twice, a period until 01:00 ends
    before both, and one until 01:30 ends in the second.
    """
    wall = min(max(wall, _EARLIEST), _LATEST)
    if last and (before := _shown(zone, wall - _TICK)):
        return before[-1] + _TICK
    times = _shown(zone, wall)
    return times[0] if times else _change_between(zone, *_candidates(zone, wall))


def _shown(zone: tzinfo, wall: datetime) -> list[datetime]:
    """Return the instants, at most two and in order, at which local clocks show `wall`."""
    return [at for at in _candidates(zone, wall) if at.astimezone(zone).replace(tzinfo=None) == wall]


def _candidates(zone: tzinfo, wall: datetime) -> list[datetime]:
    """Return `wall` with the offset before a nearby change and with the one after it, in order."""
    return sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _change_between(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the instant, to the second, at which the offset changes between two instants."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def read_range(text: str) -> Range:
    """Read `mon-thu 09:00-16:00`. An end at or before the start is on the next day."""
    match = _RANGE.fullmatch(text.strip().lower())
    problem = ValueError(f"{text!r} is not a range: write for example mon-thu 09:00-16:00, sat 10:00-12:00 or 22:00-02:00")
    if not match or any(day not in (*_DAYS, None) for day in match.group(1, 2)):
        raise problem
    start, end = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    if int(match[4]) > 59 or int(match[6]) > 59 or start >= 1440 or end > 1440:
        raise problem
    first = _DAYS.index(match[1]) if match[1] else 0
    last = _DAYS.index(match[2]) if match[2] else (first if match[1] else 6)
    days = frozenset((first + i) % 7 for i in range((last - first) % 7 + 1))
    return Range(days, start, end if end > start else end + 1440)
