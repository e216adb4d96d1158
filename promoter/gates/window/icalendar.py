"""iCalendar files: every event that is not cancelled is a freeze.

Libraries read them leniently: they skip an event that they do not understand, or change its time. Here that
would open a gate, so everything that is not fully understood is refused with its line.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from promoter.gates.window.rrule import check_rule
from promoter.gates.window.wall_clock import instant
from promoter.model.dataclass import dataclass

_MARGIN = timedelta(days=2)
"""Floating times are queried as if they were UTC; no zone differs by more than this."""
_STRANGE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, AssertionError)
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "UID", "SEQUENCE", "STATUS", "SUMMARY")
"""Properties that an event may have only once in RFC 5545."""


class Refused(ValueError):
    """An event that cannot be used. The message names its line."""


@dataclass(frozen=True)
class Calendar:
    """One parsed file."""

    queries: tuple[Any, ...]

    def between(self, zone: tzinfo, low: datetime, high: datetime) -> Iterator[tuple[datetime, datetime, str]]:
        """Return start, end and summary of all events between two instants, and a few more. Floating times are in `zone`."""
        for query in self.queries:
            for event in query.between(low - _MARGIN, high + _MARGIN):
                if not _is_cancelled(event):
                    begins = event["DTSTART"].dt
                    ends = event["DTEND"].dt if "DTEND" in event else begins
                    yield _instant(zone, begins), _instant(zone, ends, last=True), _summary(event)


@lru_cache(maxsize=16)
def read_calendar(text: str) -> Calendar:
    """Read a calendar. Raise ValueError with a message. The result is cached by its text, because environments share it."""
    import recurring_ical_events  # type: ignore[import-untyped]  # the package has no types
    from icalendar import Calendar as Parsed

    try:
        found: list[Any] = Parsed.from_ical(text, multiple=True)
    except _STRANGE as error:
        raise ValueError(f"it is not iCalendar ({_brief(error)})") from error
    lines = [line.strip().upper() for line in text.splitlines()]
    if not found or any(one.name != "VCALENDAR" for one in found) or lines.count("BEGIN:VCALENDAR") != len(found):
        raise ValueError("it is not iCalendar: expected BEGIN:VCALENDAR at the start and END:VCALENDAR at the end")
    starts = [number for number, line in enumerate(lines, 1) if line == "BEGIN:VEVENT"]
    events = [event for one in found for event in one.walk("VEVENT")]
    if len(starts) != len(events):
        raise ValueError("some of its events have no end: write END:VEVENT for each BEGIN:VEVENT")
    try:
        for number, event in zip(starts, events, strict=True):
            _check(event, number)
        for one in found:
            _check_names(one.walk("VEVENT"), dict(zip(map(id, events), starts, strict=True)))
        queries = tuple(recurring_ical_events.of(one) for one in found)
        _try_out(queries, events)
    except Refused:
        raise
    except _STRANGE as error:
        raise ValueError(f"its events cannot be computed ({_brief(error)})") from error
    return Calendar(queries)


def _check(event: Any, line: int) -> None:
    where = f"its event on line {line}"
    broken = [f"{name or 'a line'}: {message}" for name, message in event.errors]
    if broken:
        raise Refused(f"{where} is invalid ({_brief(broken[0])})")
    if "DTSTART" not in event:
        raise Refused(f"{where} has no DTSTART")
    if repeated := [name for name in _ONCE if isinstance(event.get(name), list)]:
        raise Refused(f"{where} has {repeated[0]} more than once, which is ambiguous")
    for name in _TIMES:
        for value in _many(event.get(name)):
            zone = value.params.get("TZID")
            if zone and any(_floats(one) for one in _moments(value)):
                raise Refused(f"{where} has {name} in the unknown time zone {zone}: add its VTIMEZONE")
    begins, ends = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    if ends is not None and isinstance(begins, datetime) != isinstance(ends, datetime):
        raise Refused(f"{where} mixes a date and a time in DTSTART and DTEND")
    if ends is not None and _wall(ends) < _wall(begins) and getattr(begins, "tzinfo", None) == getattr(ends, "tzinfo", None):
        raise Refused(f"{where} ends before it begins")
    for rule in _many(event.get("RRULE")):
        try:
            check_rule(rule.to_ical().decode(), times=True)
        except ValueError as error:
            raise Refused(f"{where} has an unsupported RRULE: {error}") from error


def _check_names(events: list[Any], lines: dict[int, int]) -> None:
    """Check UIDs: of two events with one UID the library uses only one, so that the other would be lost."""
    known = set()
    for event in events:
        moved = event.get("RECURRENCE-ID")
        name = (event.get("UID", id(event)), moved and moved.to_ical(), event.get("SEQUENCE", -1))
        if name in known:
            raise Refused(f"its event on line {lines[id(event)]} has the UID of an earlier one: give it its own")
        known.add(name)


def _try_out(queries: tuple[Any, ...], events: list[Any]) -> None:
    """Compute one year of events, because some faults appear only then."""
    if events:
        first = min(_wall(event["DTSTART"].dt) for event in events)
        utc = instant(UTC, first)
        for query in queries:
            for _ in query.between(utc - _MARGIN, utc + timedelta(days=366)):
                pass


def _many(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _moments(value: Any) -> list[Any]:
    """Return the times of one property: a time, or a list of times; a period counts by its start."""
    found = [one.dt for one in value.dts] if hasattr(value, "dts") else [value.dt]
    return [one[0] if isinstance(one, tuple) else one for one in found]


def _floats(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is None


def _wall(moment: date) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime.combine(moment, time())


def _instant(zone: tzinfo, moment: date, *, last: bool = False) -> datetime:
    own = moment.tzinfo if isinstance(moment, datetime) else None
    return instant(own or zone, _wall(moment), last=last)


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).strip().upper() == "CANCELLED"


def _summary(event: Any) -> str:
    return _printable(str(event.get("SUMMARY", "")))


def _brief(error: object) -> str:
    return _printable(str(error))[:120]


def _printable(text: str) -> str:
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
