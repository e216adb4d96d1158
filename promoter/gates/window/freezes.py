"""Freezes: periods in which no promotion may start, one-off, recurring, or from a calendar.

They are computed year by year on demand and cached, so that an evaluation is only a lookup.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field, field_validator

from promoter.config.spec import Shape
from promoter.config.spec_errors import Fault
from promoter.gates.window.icalendar import Calendar, read_calendar
from promoter.gates.window.rrule import Repetition, check_rule
from promoter.gates.window.wall_clock import instant

_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"
_LAST_DAY = date(9998, 12, 30)


def _read_moment(value: object) -> object:
    if isinstance(value, date):
        return value
    problem = ValueError(f"{value!r} is neither a date nor a time: write for example 2026-12-18 or 2026-12-24T12:00")
    if not isinstance(value, str) or not re.match(_MOMENT, value):
        raise problem
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError as error:
        raise problem from error


Moment = Annotated[datetime | date, BeforeValidator(_read_moment, json_schema_input_type=Annotated[str, Field(pattern=_MOMENT)])]
"""A whole day, or a time, in the window's time zone unless it has an offset."""


class Freeze(Shape):
    """A freeze from `from` to `to`. Dates are whole days, times are exact. `repeat` is a recurrence rule of RFC 5545."""

    from_: Moment = Field(alias="from")
    to: Moment
    reason: str = ""
    repeat: str | None = None

    @field_validator("repeat")
    @classmethod
    def _rule(cls, value: str | None) -> str | None:
        return None if value is None else check_rule(value)

    def begins(self, zone: tzinfo) -> datetime:
        if isinstance(self.from_, datetime) and self.from_.tzinfo is not None:
            return self.from_.astimezone(UTC)
        return instant(zone, self._walls(zone)[0])

    def ends(self, zone: tzinfo) -> datetime:
        if isinstance(self.to, datetime) and self.to.tzinfo is not None:
            return self.to.astimezone(UTC)
        return instant(zone, self._walls(zone)[1], last=True)

    def fault(self, zone: tzinfo) -> Fault | None:
        """Return the fault of the freeze as a whole: only the time zone decides which of two times is earlier."""
        both = (self.from_, self.to)
        walls = self._walls(zone)
        on_wall = not any(isinstance(one, datetime) and one.tzinfo is not None for one in both)
        if (walls[1] <= walls[0]) if on_wall else (self.ends(zone) <= self.begins(zone)):
            same = self.to == self.from_
            when = "when it begins" if same else f"before it begins on {_spell(self.from_)}"
            hint = "remove the times to freeze the whole day" if same else "swap `from` and `to`"
            return Fault((), f"this freeze ends on {_spell(self.to)}, {when}", hint)
        if self.repeat is not None and not self.repetition(zone, self.repeat).comes_again():
            return Fault(("repeat",), f"{self.repeat} does not repeat after `from`", "correct the rule, or remove `repeat`")
        return None

    def repetition(self, zone: tzinfo, rule: str) -> Repetition:
        return Repetition(zone, rule, *self._walls(zone))

    def _walls(self, zone: tzinfo) -> tuple[datetime, datetime]:
        return _wall(zone, self.from_, 0), _wall(zone, self.to, 1)


def _wall(zone: tzinfo, moment: date, days: int) -> datetime:
    """Return a local time; a date is its midnight, or that of the next day."""
    if not isinstance(moment, datetime):
        return datetime.combine(min(moment, _LAST_DAY), time()) + timedelta(days=days)
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def _spell(moment: date) -> str:
    return moment.isoformat(" ", "minutes") if isinstance(moment, datetime) else str(moment)


class Frozen(NamedTuple):
    """One period in which no promotion may start. The end is exclusive."""

    begins: datetime
    ends: datetime
    reason: str


class Freezes:
    """All freezes of one window."""

    def __init__(self, zone: tzinfo, freezes: tuple[Freeze, ...], calendars: tuple[str, ...]) -> None:
        self._zone = zone
        self._fixed = [Frozen(one.begins(zone), one.ends(zone), one.reason) for one in freezes]
        self._repeated = [(one.repetition(zone, one.repeat), one.reason) for one in freezes if one.repeat is not None]
        self._calendars: list[Calendar] = [read_calendar(text) for text in calendars]
        self._years: dict[int, tuple[list[datetime], list[Frozen]]] = {}

    def covering(self, at: datetime) -> Frozen | None:
        """Return the freeze that covers an instant and lasts longest."""
        begins, longest = self._year(at.astimezone(UTC).year)
        index = bisect_right(begins, at) - 1
        return longest[index] if index >= 0 and at < longest[index].ends else None

    def extended(self, frozen: Frozen, horizon: datetime) -> Frozen:
        """Extend a freeze by those that follow directly for the same reason, up to `horizon`."""
        while frozen.ends <= horizon:
            more = self.covering(frozen.ends)
            if more is None or more.reason != frozen.reason:
                break
            frozen = frozen._replace(ends=more.ends)
        return frozen

    def _year(self, year: int) -> tuple[list[datetime], list[Frozen]]:
        """Return the freezes of a year: the start of each, and the latest end up to it."""
        if year not in self._years:
            low, high = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
            spans = sorted(
                one for one in self._found(low, high) if one.begins < one.ends and one.ends > low and one.begins < high
            )
            spans = _joined(spans)
            longest = spans[:1]
            for span in spans[1:]:
                longest.append(max(longest[-1], span, key=lambda one: one.ends))
            self._years[year] = [span.begins for span in spans], longest
        return self._years[year]

    def _found(self, low: datetime, high: datetime) -> Iterator[Frozen]:
        yield from self._fixed
        for repetition, reason in self._repeated:
            for begins, ends in repetition.between(low, high):
                yield Frozen(begins, ends, reason)
        for calendar in self._calendars:
            for begins, ends, summary in calendar.between(self._zone, low, high):
                yield Frozen(begins, ends, summary)


def _joined(spans: list[Frozen]) -> list[Frozen]:
    """Join adjacent periods with the same reason, ordered by start."""
    found: list[Frozen] = []
    positions: dict[str, int] = {}
    for span in spans:
        index = positions.get(span.reason)
        if index is not None and span.begins <= found[index].ends:
            found[index] = found[index]._replace(ends=max(found[index].ends, span.ends))
        else:
            positions[span.reason] = len(found)
            found.append(span)
    return found
