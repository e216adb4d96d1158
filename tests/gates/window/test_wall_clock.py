"""Windows at clock changes: tables of instants for six zones, and a simulation that checks each minute."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.gates.context import GateContext
from promoter.gates.window.rule import Window, evaluate_window, next_opening
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome
from tests.gates.window.windows import calendar, event

CASE = GateContext("prod", Release({}, Source()), "p", "q", None, "a", datetime(2026, 1, 1, tzinfo=UTC))
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(gate: Window, now: datetime) -> bool:
    return evaluate_window(gate, replace(CASE, now=now)).outcome is Outcome.PASSED


TABLE = [
    # Bucharest: 03:00 jumps to 04:00 on 29 March; 04:00 falls back to 03:00 on 25 October
    ("Europe/Bucharest", "sun 01:00-03:30", "2026-03-28T23:00", "2026-03-29T01:00"),  # ends in the gap
    ("Europe/Bucharest", "sun 03:30-03:45", "2026-10-25T00:30", "2026-10-25T01:45"),  # in the overlap: first to second
    ("Europe/Bucharest", "sat 22:00-03:30", "2026-10-24T19:00", "2026-10-25T01:30"),  # past midnight into the overlap
    ("Europe/Bucharest", "sun 00:00-24:00", "2026-03-28T22:00", "2026-03-29T21:00"),  # a day of 23 hours
    ("Europe/Bucharest", "sun 00:00-24:00", "2026-10-24T21:00", "2026-10-25T22:00"),  # a day of 25 hours
    # New York: 8 March and 1 November 2026 at 02:00
    ("America/New_York", "sun 02:30-04:00", "2026-03-08T07:00", "2026-03-08T08:00"),
    ("America/New_York", "sat 23:00-02:30", "2026-03-08T04:00", "2026-03-08T07:00"),
    ("America/New_York", "sun 01:00-01:30", "2026-11-01T05:00", "2026-11-01T06:30"),
    # Lord Howe: half an hour, at 02:00, on 4 October (forward) and 5 April (back)
    ("Australia/Lord_Howe", "sun 01:00-02:15", "2026-10-03T14:30", "2026-10-03T15:30"),
    ("Australia/Lord_Howe", "sun 01:45-03:00", "2026-04-04T14:45", "2026-04-04T16:30"),
    # Sao Paulo: midnight was skipped on 4 November 2018, and 23:00 occurred twice on 17 February
    ("America/Sao_Paulo", "sun 00:00-24:00", "2018-11-04T03:00", "2018-11-05T02:00"),
    ("America/Sao_Paulo", "sat 23:15-23:30", "2018-02-18T01:15", "2018-02-18T02:30"),
    # Casablanca: summer time is suspended for Ramadan; in 2025 from 23 February 03:00 to 6 April 02:00
    ("Africa/Casablanca", "sun 02:15-04:00", "2025-02-23T01:15", "2025-02-23T04:00"),
    ("Africa/Casablanca", "sun 02:15-04:00", "2025-04-06T02:00", "2025-04-06T03:00"),
    # Apia had no 30 December 2011: a Thursday, then a Saturday
    ("Pacific/Apia", "thu 22:00-24:00", "2011-12-30T08:00", "2011-12-30T10:00"),
    ("Pacific/Apia", "thu 22:00-02:00", "2011-12-30T08:00", "2011-12-30T10:00"),
    ("Pacific/Apia", "sat 00:00-01:00", "2011-12-30T10:00", "2011-12-30T11:00"),
]


@pytest.mark.parametrize(("zone", "allow", "opens", "closes"), TABLE)
def test_a_span_on_a_day_of_change(zone: str, allow: str, opens: str, closes: str) -> None:
    gate, first, end = Window(timezone=zone, allow=(allow,)), at(opens), at(closes)
    assert next_opening(gate, first - timedelta(hours=2)) == first
    assert [is_open(gate, t) for t in (first - SECOND, first, end - SECOND, end)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", "2018-11-05T02:00"),  # begins in a gap at midnight
        ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00", "2018-02-18T03:00"),  # its last hour occurs twice
        ("Europe/Bucharest", date(2026, 3, 29), "2026-03-28T22:00", "2026-03-29T21:00"),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00", "2011-12-30T10:00"),  # the next day did not exist
    ],
)
def test_a_freeze_of_one_day(zone: str, day: date, begins: str, ends: str) -> None:
    gate = Window.model_validate({"timezone": zone, "freeze": [{"from": day, "to": day}]})
    first, end = at(begins), at(ends)
    assert [is_open(gate, t) for t in (first - SECOND, first, end - SECOND, end)] == [True, False, False, True]
    assert next_opening(gate, first) == end


RECURRING = [
    # zone, first local time, recurrence, and an occurrence on a day of change
    (
        "Europe/Bucharest",
        "2026-03-01T02:30",
        "2026-03-01T03:30",
        "FREQ=WEEKLY;BYDAY=SU",
        "2026-03-29T00:30",
        "2026-03-29T01:00",
    ),  # ends in the gap
    (
        "Europe/Bucharest",
        "2026-03-01T03:30",
        "2026-03-01T05:00",
        "FREQ=DAILY",
        "2026-03-29T01:00",
        "2026-03-29T02:00",
    ),  # begins in it
    (
        "Europe/Bucharest",
        "2025-10-25T03:15",
        "2025-10-25T03:45",
        "FREQ=YEARLY",
        "2026-10-25T00:15",
        "2026-10-25T01:45",
    ),  # occurs twice
    ("America/New_York", "2026-01-04T23:00", "2026-01-05T02:30", "FREQ=WEEKLY;BYDAY=SA", "2026-03-08T04:00", "2026-03-08T07:00"),
    (
        "America/New_York",
        "2025-11-01T00:30",
        "2025-11-01T01:30",
        "FREQ=MONTHLY;BYMONTHDAY=1",
        "2026-11-01T04:30",
        "2026-11-01T06:30",
    ),
    (
        "Australia/Lord_Howe",
        "2026-04-01T01:45",
        "2026-04-01T03:00",
        "FREQ=DAILY;INTERVAL=2",
        "2026-04-04T14:45",
        "2026-04-04T16:30",
    ),
    (
        "Australia/Lord_Howe",
        "2025-10-05T01:00",
        "2025-10-05T02:15",
        "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU",
        "2026-10-03T14:30",
        "2026-10-03T15:30",
    ),
    ("Africa/Casablanca", "2025-02-02T02:15", "2025-02-02T04:00", "FREQ=WEEKLY", "2025-02-23T01:15", "2025-02-23T04:00"),
    ("Africa/Casablanca", "2025-03-02T02:15", "2025-03-02T04:00", "FREQ=WEEKLY", "2025-04-06T02:00", "2025-04-06T03:00"),
    (
        "America/Sao_Paulo",
        "2018-11-01T00:00",
        "2018-11-02T00:00",
        "FREQ=DAILY;INTERVAL=3",
        "2018-11-04T03:00",
        "2018-11-05T02:00",
    ),
    ("America/Sao_Paulo", "2018-02-03T23:15", "2018-02-03T23:30", "FREQ=WEEKLY", "2018-02-18T01:15", "2018-02-18T02:30"),
    ("Pacific/Apia", "2011-12-01T22:00", "2011-12-02T02:00", "FREQ=WEEKLY;BYDAY=TH", "2011-12-30T08:00", "2011-12-30T10:00"),
    (
        "Asia/Kathmandu",
        "2026-01-31T00:00",
        "2026-02-01T00:00",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "2028-02-28T18:15",
        "2028-02-29T18:15",
    ),
]


def frozen_by_repeat(zone: str, first: str, last: str, rule: str) -> Window:
    return Window.model_validate({"timezone": zone, "freeze": [{"from": first, "to": last, "repeat": rule}]})


def floating(zone: str, first: str, last: str, rule: str) -> Window:
    times = [f"{key}:{text.replace('-', '').replace(':', '')}00" for key, text in (("DTSTART", first), ("DTEND", last))]
    return Window(timezone=zone, calendar=(calendar(event(*times, f"RRULE:{rule}")),))


def zoned(zone: str, first: str, last: str, rule: str) -> Window:
    times = [
        f"{key};TZID={zone}:{text.replace('-', '').replace(':', '')}00" for key, text in (("DTSTART", first), ("DTEND", last))
    ]
    return Window(timezone="Asia/Tokyo", calendar=(calendar(event(*times, f"RRULE:{rule}")),))


@pytest.mark.parametrize("made", [frozen_by_repeat, floating, zoned])
@pytest.mark.parametrize(("zone", "first", "last", "rule", "begins", "ends"), RECURRING)
def test_what_comes_back_keeps_to_the_wall_clock(
    made, zone: str, first: str, last: str, rule: str, begins: str, ends: str
) -> None:
    gate, start, end = made(zone, first, last, rule), at(begins), at(ends)
    assert [is_open(gate, t) for t in (start - SECOND, start, end - SECOND, end)] == [True, False, False, True]
    assert next_opening(gate, start) == end


CHANGES = [
    ("Europe/Bucharest", "2026-03-28"),
    ("Europe/Bucharest", "2026-10-24"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Africa/Casablanca", "2025-04-05"),
    ("America/Sao_Paulo", "2018-11-03"),
]
HALVES = st.integers(0, 47)


@settings(max_examples=40, deadline=None)
@given(
    change=st.sampled_from(CHANGES), start=HALVES, length=st.integers(1, 48), freeze=st.integers(-1, 4), now=st.integers(0, 95)
)
def test_the_predicted_opening_equals_the_result_of_a_scan(
    change: tuple[str, str], start: int, length: int, freeze: int, now: int
) -> None:
    """Every half hour before the predicted opening is closed, the opening is open, and an instant before it is not."""
    zone, day = change
    end = (start + length) % 48
    first = date.fromisoformat(day)
    frozen = [] if freeze < 0 else [{"from": first, "to": first + timedelta(days=freeze)}]
    allow = [f"{start // 2:02}:{start % 2 * 30:02}-{end // 2:02}:{end % 2 * 30:02}"]
    gate = Window.model_validate({"timezone": zone, "allow": allow, "freeze": frozen})
    begin = datetime.combine(first, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC) + now * timedelta(minutes=30)
    opens = next_opening(gate, begin)
    assert opens is not None and is_open(gate, opens)
    assert is_open(gate, begin) == (opens == begin)
    if opens > begin:
        assert not is_open(gate, opens - timedelta(microseconds=1))
    moment = begin
    while moment < opens:
        assert not is_open(gate, moment)
        moment += timedelta(minutes=30)
