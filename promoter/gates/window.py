"""The window gate: the hours of the week in which a promotion may start, and the spans in which none may.

All arithmetic on walls clocks is done on local dates and turned into instants at the end, so that a day with 23
or 25 hours is right. A local time that does not exist counts as the first instant after the gap; one that
exists twice opens at its first and closes at its second.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from promoter.compose.shape import Shape
from promoter.gates.case import Case
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANGE = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? )?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_HORIZON_DAYS = 400


class Freeze(Shape):
    """From the first instant of `from` to the end of `to`, both days included, in the window's zone."""

    from_: date = Field(alias="from")
    to: date
    reason: str = ""


class Window(Shape):
    """`allow` holds ranges such as `mon-thu 09:00-16:00` or `22:00-02:00` (over midnight); empty allows always."""

    kind: ClassVar[str] = "window"

    timezone: str = "UTC"
    allow: tuple[str, ...] = ()
    freeze: tuple[Freeze, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not a time zone: write for example UTC or Europe/Bucharest") from error
        return value

    @field_validator("allow")
    @classmethod
    def _ranges(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            _read_range(text)
        return value

    def title(self) -> str:
        return f"window {', '.join(self.allow) or 'always'} {self.timezone}" + (" with freezes" if self.freeze else "")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def judge_window(gate: Window, case: Case) -> Verdict:
    local = case.now.astimezone(gate.zone)
    frozen = next((f for f in gate.freeze if f.from_ <= local.date() <= f.to), None)
    if frozen is None and _allowed(gate, case.now):
        return passed("inside the window")
    opens = next_opening(gate, case.now)
    when = f"; opens {opens.astimezone(gate.zone):%Y-%m-%d %H:%M %Z}" if opens else "; never opens within a year"
    if frozen is not None:
        why = f" ({frozen.reason})" if frozen.reason else ""
        return waiting(ReasonCode.FROZEN, f"frozen until the end of {frozen.to}{why}{when}", opens)
    return waiting(ReasonCode.OUTSIDE_WINDOW, f"outside {', '.join(gate.allow)} {gate.timezone}{when}", opens)


def next_opening(gate: Window, now: datetime) -> datetime | None:
    """The first instant at or after `now` in which the gate is open; None when there is none within a year."""
    for opens, closes in _openings(gate, now):
        start = max(opens, now)
        for freeze in sorted(gate.freeze, key=lambda f: f.from_):
            if freeze.from_ <= start.astimezone(gate.zone).date() <= freeze.to:
                start = _instant(gate.zone, freeze.to + timedelta(days=1), 0)
        if start < closes:
            return start.astimezone(UTC)
    return None


def _allowed(gate: Window, now: datetime) -> bool:
    return any(opens <= now < closes for opens, closes in _openings(gate, now, days=2))


def _openings(gate: Window, now: datetime, days: int = _HORIZON_DAYS) -> Iterator[tuple[datetime, datetime]]:
    """Spans that end after `now`, in the order of their days; starting the day before, for ranges over midnight."""
    first = now.astimezone(gate.zone).date() - timedelta(days=1)
    ranges = [_read_range(text) for text in gate.allow] or [(frozenset(range(7)), 0, 24 * 60)]
    for offset in range(days + 1):
        day = first + timedelta(days=offset)
        spans = [
            (_instant(gate.zone, day, start), _instant(gate.zone, day, end, last=True))
            for weekdays, start, end in ranges
            if day.weekday() in weekdays
        ]
        yield from sorted(span for span in spans if span[1] > now)


def _instant(zone: ZoneInfo, day: date, minutes: int, *, last: bool = False) -> datetime:
    """The instant of a wall-clock time, `minutes` after midnight of `day` (beyond 24 h: the next day)."""
    days, minute = divmod(minutes, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60))
    first, second = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != wall and second.astimezone(zone).replace(tzinfo=None) != wall:
        return _change_between(zone, first, second)
    return second if last else first


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant, to the second, at which the offset changes between two instants."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def _read_range(text: str) -> tuple[frozenset[int], int, int]:
    """Weekdays, start and end in minutes after midnight; an end at or before the start is on the next day."""
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
    return days, start, end if end > start else end + 1440
