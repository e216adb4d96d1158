"""Recurrence rules of RFC 5545, limited to those that are quick to compute and unambiguous.

The library accepts many invalid rules, and some of them run without end (`INTERVAL=0`). So every part
is checked here first.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from math import prod
from typing import Any

from promoter.gates.window.wall_clock import instant
from promoter.model.pattern import pattern

_EXAMPLE = "write for example FREQ=YEARLY, FREQ=WEEKLY;BYDAY=FR or FREQ=MONTHLY;BYMONTHDAY=-1"
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_FINER = ("SECONDLY", "MINUTELY", "HOURLY")
_NUMBER = pattern(r"[1-9]\d{0,5}")
_LISTED = pattern(r"[+-]?\d{1,3}")
_DAY = pattern(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = pattern(r"(\d{8})(?:T(\d{6})(Z?))?")
_LISTS = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (1, 31),
    "BYYEARDAY": (1, 366),
    "BYWEEKNO": (1, 53),
    "BYSETPOS": (1, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
_FIRST, _LAST = datetime.combine(date.min, time.min), datetime.combine(date.max, time.max)
"""The first and the last local time that Python knows."""
_SIGNED = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MOST_A_DAY = 24
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY",),
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
    "BYSETPOS": ("WEEKLY", "MONTHLY", "YEARLY"),
}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_rule(text: str, *, times: bool = False) -> str:
    """Return the rule in capitals. Raise ValueError with a message. `times`: whether BYHOUR and similar parts are allowed."""
    rule = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    parts = _parts(text, rule)
    frequency = parts.get("FREQ", "")
    if frequency in _FINER:
        raise ValueError(f"{text!r} repeats more often than daily: use FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"{text!r} has no FREQ of {', '.join(_FREQUENCIES)}: {_EXAMPLE}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError(f"{text!r} has COUNT and UNTIL: keep one of them")
    for name, value in parts.items():
        _check_part(text, name, value)
    found = [name for name in _TIMES if name in parts]
    if found and not times:
        raise ValueError(f"{text!r} has {found[0]}: write the time in `from` and `to`, with a separate entry for each")
    if prod(len(parts[name].split(",")) for name in found) > _MOST_A_DAY:
        raise ValueError(f"{text!r} repeats more than {_MOST_A_DAY} times a day: write fewer")
    _check_together(text, frequency, parts)
    return rule


def _parts(text: str, rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.split(";"):
        name, sign, value = part.partition("=")
        if not sign or not value:
            raise ValueError(f"{text!r} is not a recurrence rule: {_EXAMPLE}")
        if name in parts:
            raise ValueError(f"{text!r} has {name} twice: write its values as one list, such as BYDAY=MO,FR")
        parts[name] = value
    return parts


def _check_part(text: str, name: str, value: str) -> None:
    match name:
        case "FREQ":
            fits = True
        case "INTERVAL" | "COUNT":
            fits = bool(_NUMBER.fullmatch(value))
        case "UNTIL":
            fits = bool(_UNTIL.fullmatch(value)) and _is_time(value)
        case "WKST":
            fits = bool(_DAY.fullmatch(value)) and len(value) == 2
        case "BYDAY":
            days = [_DAY.fullmatch(day) for day in value.split(",")]
            fits = all(day and (day[1] is None or 1 <= abs(int(day[1])) <= 53) for day in days)
        case _ if name in _LISTS:
            low, high = _LISTS[name]
            signs = "+-" if name in _SIGNED else ""
            fits = all(
                _LISTED.fullmatch(one) and low <= abs(int(one)) <= high and (one[0].isdigit() or one[0] in signs)
                for one in value.split(",")
            )
        case _:
            raise ValueError(f"{text!r} has {name}, which is not in RFC 5545: {_EXAMPLE}")
    if not fits:
        raise ValueError(f"{text!r} is not a recurrence rule, {name}={value} is invalid: {_EXAMPLE}")


def _check_together(text: str, frequency: str, parts: dict[str, str]) -> None:
    """Refuse parts that make no sense together. Some of them would be searched until the year 9999."""
    for name, frequencies in _ONLY_WITH.items():
        if name in parts and frequency not in frequencies:
            raise ValueError(f"{text!r} has {name} with FREQ={frequency}: use it with {' or '.join(frequencies)}")
    if frequency in ("DAILY", "WEEKLY") and any(len(day) > 2 for day in parts.get("BYDAY", "").split(",")):
        raise ValueError(f"{text!r} counts weekdays, which FREQ={frequency} does not support: use MONTHLY or YEARLY")
    if "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
        raise ValueError(f"{text!r} has BYSETPOS, but no other BY… part to select from: write for example BYDAY=MO;BYSETPOS=-1")
    if "BYMONTH" in parts and "BYMONTHDAY" in parts:
        longest = max(_LONGEST[int(month) - 1] for month in parts["BYMONTH"].split(","))
        if all(abs(int(day)) > longest for day in parts["BYMONTHDAY"].split(",")):
            raise ValueError(f"{text!r} never occurs: no such month has that many days")


def _is_time(value: str) -> bool:
    try:
        return bool(_read_until(value))
    except ValueError:
        return False


def _read_until(value: str) -> datetime:
    """Read a local time, or one in UTC; a date lasts to its end."""
    match = _UNTIL.fullmatch(value)
    assert match is not None
    moment = datetime.strptime(f"{match[1]}{match[2] or '000000'}Z", "%Y%m%d%H%M%S%z")
    if match[2] is None:
        return datetime.combine(moment, time.max)
    return moment if match[3] else moment.replace(tzinfo=None)


class Repetition:
    """A period between two local times, repeated by the rule. The first period is always included."""

    def __init__(self, zone: tzinfo, rule: str, begins: datetime, ends: datetime) -> None:
        self._zone, self._begins, self._length = zone, begins, ends - begins
        self._rule = _compile(rule, begins, zone)

    def comes_again(self) -> bool:
        return self._rule.after(self._begins) is not None

    def between(self, low: datetime, high: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Return the repetitions between two instants, and a few more."""
        start, end = low.replace(tzinfo=None), high.replace(tzinfo=None) + timedelta(days=2)
        start -= min(self._length + timedelta(days=2), start - _FIRST)
        walls = {self._begins, *self._rule.between(start, end, inc=True)}
        for wall in sorted(walls):
            length = min(self._length, _LAST - wall)
            yield instant(self._zone, wall), instant(self._zone, wall + length, last=True)


def _compile(rule: str, begins: datetime, zone: tzinfo) -> Any:
    """Compute without time zones, because local times repeat. So UNTIL, which may be in UTC, is converted too."""
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # the package has no types

    parts = [part for part in rule.split(";") if not part.startswith("UNTIL=")]
    made = rrulestr(";".join(parts), dtstart=begins, cache=True)
    until = next((_read_until(part[6:]) for part in rule.split(";") if part.startswith("UNTIL=")), None)
    if until is None:
        return made
    return made.replace(until=until if until.tzinfo is None else until.astimezone(zone).replace(tzinfo=None))
