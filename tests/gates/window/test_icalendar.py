"""Freezes from iCalendar files: each feature that a calendar program writes, in real time zones; and what is refused."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.gates.window.icalendar import read_calendar
from promoter.gates.window.rule import next_opening
from promoter.model.verdict import ReasonCode
from tests.gates.window.windows import OWN_ZONE, at, calendar, evaluated, event, is_open, window

SECOND = timedelta(seconds=1)
ROOT = Path(__file__).parents[3]
NIGHT = ("DTSTART;TZID=Europe/Bucharest:20260301T220000", "DTEND;TZID=Europe/Bucharest:20260302T060000", "RRULE:FREQ=DAILY")


@pytest.mark.parametrize(
    ("zone", "lines", "begins", "ends"),
    [
        ("UTC", ("DTSTART;VALUE=DATE:20200101", "DTEND;VALUE=DATE:20241101"), "2020-01-01T00:00", "2024-11-01T00:00"),
        # all-day events are days of the window's zone, without the end
        (
            "Europe/Bucharest",
            ("DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"),
            "2026-03-28T22:00",
            "2026-03-29T21:00",
        ),
        ("Europe/Bucharest", ("DTSTART;VALUE=DATE:20261025",), "2026-10-24T21:00", "2026-10-25T22:00"),
        ("America/Sao_Paulo", ("DTSTART;VALUE=DATE:20181104",), "2018-11-04T03:00", "2018-11-05T02:00"),
        ("America/Sao_Paulo", ("DTSTART;VALUE=DATE:20180217",), "2018-02-17T02:00", "2018-02-18T03:00"),
        ("Pacific/Apia", ("DTSTART;VALUE=DATE:20111229", "DURATION:P1D"), "2011-12-29T10:00", "2011-12-30T10:00"),
        # floating times are local times of the window's zone
        ("America/New_York", ("DTSTART:20260308T013000", "DTEND:20260308T033000"), "2026-03-08T06:30", "2026-03-08T07:30"),
        ("America/New_York", ("DTSTART:20261101T013000", "DTEND:20261101T014500"), "2026-11-01T05:30", "2026-11-01T06:45"),
        ("Australia/Lord_Howe", ("DTSTART:20261004T021000", "DTEND:20261004T030000"), "2026-10-03T15:30", "2026-10-03T16:00"),
        ("Asia/Kathmandu", ("DTSTART:20260301T000000", "DURATION:PT1H30M"), "2026-02-28T18:15", "2026-02-28T19:45"),
        # times in UTC or with a zone do not change with the window's zone
        ("Asia/Kathmandu", ("DTSTART:20260301T000000Z", "DTEND:20260301T010000Z"), "2026-03-01T00:00", "2026-03-01T01:00"),
        (
            "UTC",
            ("DTSTART;TZID=Europe/Bucharest:20260329T033000", "DTEND;TZID=Europe/Bucharest:20260329T050000"),
            "2026-03-29T01:00",
            "2026-03-29T02:00",
        ),
        (
            "UTC",
            ("DTSTART;TZID=Africa/Casablanca:20250223T013000", "DTEND;TZID=Africa/Casablanca:20250223T023000"),
            "2025-02-23T00:30",
            "2025-02-23T02:30",
        ),
        (
            "UTC",
            ("DTSTART;TZID=W. Europe Standard Time:20260601T100000", "DTEND;TZID=W. Europe Standard Time:20260601T110000"),
            "2026-06-01T08:00",
            "2026-06-01T09:00",
        ),
        ("UTC", ("DTSTART;TZID=Ours:20260701T100000", "DTEND;TZID=Ours:20260701T110000"), "2026-07-01T07:00", "2026-07-01T08:00"),
        ("UTC", ("DTSTART;TZID=Ours:20261201T100000", "DTEND;TZID=Ours:20261201T110000"), "2026-12-01T08:00", "2026-12-01T09:00"),
    ],
)
def test_an_event_is_a_span_in_which_nothing_may_enter(zone: str, lines: tuple[str, ...], begins: str, ends: str) -> None:
    gate = window(timezone=zone, calendar=calendar(OWN_ZONE, event(*lines)))
    first, end = at(begins), at(ends)
    assert [is_open(gate, t) for t in (first - SECOND, first, end - SECOND, end)] == [True, False, False, True]
    assert next_opening(gate, first) == end


def test_the_summary_is_the_reason() -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20260501", "SUMMARY:May Day\\, at\\n home\x1b[31m"))
    verdict = evaluated(window(timezone="Europe/Bucharest", allow=["mon-fri 09:00-16:00"], calendar=text), at("2026-05-01T07:00"))
    assert verdict.code is ReasonCode.FROZEN
    assert verdict.sentence == "frozen until the end of 2026-05-01 (May Day, at home[31m); opens 2026-05-04 09:00 EEST"
    assert verdict.opens_at == at("2026-05-04T06:00")


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ("a day in winter", "2026-03-10T20:00", "2026-03-11T04:00"),
        ("over the gap", "2026-03-28T20:00", "2026-03-29T03:00"),
        ("a day in summer", "2026-06-10T19:00", "2026-06-11T03:00"),
        ("over the overlap", "2026-10-24T19:00", "2026-10-25T04:00"),
        ("years later", "2029-12-31T20:00", "2030-01-01T04:00"),
    ],
)
def test_a_recurring_event_keeps_to_its_wall_clock(day: str, begins: str, ends: str) -> None:
    gate, first, end = window(calendar=calendar(event(*NIGHT))), at(begins), at(ends)
    assert [is_open(gate, t) for t in (first - SECOND, first, end - SECOND, end)] == [True, False, False, True]


def noons(text: str, month: int = 3, days: int = 12) -> list[int]:
    """Return the days of a month that are frozen at noon."""
    gate = window(calendar=text)
    return [day for day in range(1, days + 1) if not is_open(gate, at(f"2026-{month:02}-{day:02}T12:00"))]


DAILY = ("DTSTART:20260302T110000Z", "DTEND:20260302T130000Z", "RRULE:FREQ=DAILY;COUNT=5")
ALL_DAY = ("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;UNTIL=20260306")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (calendar(event(*DAILY)), [2, 3, 4, 5, 6]),
        (calendar(event(*ALL_DAY)), [2, 3, 4, 5, 6]),
        (calendar(event(*DAILY, "EXDATE:20260303T110000Z,20260305T110000Z")), [2, 4, 6]),
        (calendar(event(*ALL_DAY, "EXDATE;VALUE=DATE:20260304")), [2, 3, 5, 6]),
        (calendar(event(*DAILY, "RDATE:20260309T110000Z", "RDATE:20260311T110000Z")), [2, 3, 4, 5, 6, 9, 11]),
        (calendar(event(*DAILY, "RDATE;VALUE=PERIOD:20260309T110000Z/PT50H")), [2, 3, 4, 5, 6, 9, 10, 11]),
        (calendar(event(*ALL_DAY, "RDATE;VALUE=DATE:20260309")), [2, 3, 4, 5, 6, 9]),
        (calendar(event(*DAILY, "STATUS:CANCELLED")), []),
        (calendar(event(*DAILY, "STATUS:TENTATIVE", "TRANSP:TRANSPARENT")), [2, 3, 4, 5, 6]),
        (
            calendar(
                event(*DAILY), event("RECURRENCE-ID:20260304T110000Z", "DTSTART:20260310T110000Z", "DTEND:20260310T130000Z")
            ),
            [2, 3, 5, 6, 10],
        ),
        (calendar(event(*DAILY), event("RECURRENCE-ID:20260304T110000Z", *DAILY[:2], "STATUS:CANCELLED")), [2, 3, 5, 6]),
        (calendar(event(*DAILY), event("DTSTART:20260308T110000Z", "DTEND:20260308T130000Z", uid="2")), [2, 3, 4, 5, 6, 8]),
        (
            calendar(event(*DAILY)) + calendar(event("DTSTART;VALUE=DATE:20260309", "DTEND;VALUE=DATE:20260311")),
            [2, 3, 4, 5, 6, 9, 10],
        ),
        (calendar(event(*DAILY), event(*DAILY[:2], "SEQUENCE:1")), [2]),
        (
            calendar(
                event(*DAILY).replace("UID:1\n", ""),
                event("DTSTART:20260308T110000Z", "DTEND:20260308T130000Z").replace("UID:1\n", ""),
            ),
            [2, 3, 4, 5, 6, 8],
        ),
        (calendar(event("DTSTART:20250302T110000Z", "RDATE;VALUE=PERIOD:20251230T110000Z/P65DT2H")), [1, 2, 3, 4, 5]),
        (calendar("X-WR-TIMEZONE:America/New_York\n", event("DTSTART:20260302T063000", "DTEND:20260302T073000")), [2]),
        (calendar(event("DTSTART:20260302T110000Z")), []),
        (calendar(), []),
        (calendar(event(*DAILY)).replace("\r\n", "\n"), [2, 3, 4, 5, 6]),
        (calendar("BEGIN:VTODO\nUID:7\nDTSTART:20260302T110000Z\nDUE:20260302T130000Z\nEND:VTODO\n"), []),
    ],
)
def test_recurrences_their_exceptions_and_changes(text: str, days: list[int]) -> None:
    assert noons(text) == days


def test_calendars_and_freezes_both_close_the_window() -> None:
    first, second = (
        calendar(event("DTSTART;VALUE=DATE:20260302", "SUMMARY:a")),
        calendar(event("DTSTART;VALUE=DATE:20260304", "SUMMARY:b")),
    )
    gate = window(calendar=[first, second], freeze=[{"from": "2026-03-03", "to": "2026-03-03", "reason": "c"}])
    output = [evaluated(gate, at(f"2026-03-0{day}")).sentence.partition(";")[0] for day in (2, 3, 4)]
    assert output == [f"frozen until the end of 2026-03-0{day} ({why})" for day, why in ((2, "a"), (3, "c"), (4, "b"))]
    assert next_opening(gate, at("2026-03-02T01:00")) == at("2026-03-05")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected BEGIN:VCALENDAR at the start"),
        ("<html></html>", "not iCalendar"),
        ("name: shop\n", "not iCalendar"),
        (event(*DAILY), "expected BEGIN:VCALENDAR at the start"),
        (calendar(event(*DAILY)).removesuffix("END:VCALENDAR\r\n"), "END:VCALENDAR at the end"),
        (calendar(event(*DAILY)) + "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\n", "END:VCALENDAR at the end"),
        (calendar(event(*DAILY), "BEGIN:VEVENT\n"), "not iCalendar"),
        (calendar(event("SUMMARY:x")), "its event on line 4 has no DTSTART"),
        (calendar(event("DTSTART:soon")), "its event on line 4 is invalid (DTSTART"),
        (calendar(event(*DAILY, "EXDATE:never")), "is invalid (EXDATE"),
        (calendar(event(*DAILY, "what is this")), "is invalid (a line"),
        (calendar(event(*DAILY[:2]), event(*DAILY[:2], "RRULE:FREQ=OFTEN", uid="2")), "its event on line 10 is invalid (RRULE"),
        (calendar(event(*DAILY[:2], "RRULE:FREQ=HOURLY")), "more often than daily"),
        (calendar(event(*DAILY[:2], "RRULE:FREQ=DAILY;INTERVAL=0")), "INTERVAL=0"),
        (calendar(event(*DAILY[:2], "RRULE:FREQ=DAILY;BYMINUTE=0,1,2,3,4;BYSECOND=0,1,2,3,4")), "more than 24 times a day"),
        (calendar(event(*DAILY), event("DTSTART;VALUE=DATE:20260401")), "its event on line 11 has the UID of an earlier one"),
        (
            calendar(event("DTSTART;TZID=Mars/Olympus:20260101T000000")),
            "in the unknown time zone Mars/Olympus: add its VTIMEZONE",
        ),
        (calendar(event(*DAILY, "EXDATE;TZID=Mars/Olympus:20260101T000000")), "has EXDATE in the unknown time zone Mars/Olympus"),
        (calendar(event("DTSTART:20260302T000000Z", "DTEND:20260301T000000Z")), "ends before it begins"),
        (calendar(event("DTSTART:20260302T000000Z", "DTEND;VALUE=DATE:20260303")), "mixes a date and a time"),
        (calendar(event(*DAILY)).replace("VERSION:2.0", "VERSION:2.0\r\nCALSCALE:CHINESE"), "cannot be computed"),
    ],
)
def test_what_is_not_wholly_understood_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError) as error:
        read_calendar(text)
    assert why in str(error.value)


def test_times_of_day_in_a_rule_count() -> None:
    gate = window(calendar=calendar(event("DTSTART:20260302T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYHOUR=8,14")))
    assert [hour for hour in range(24) if not is_open(gate, at(f"2026-05-01T{hour:02}:30"))] == [8, 14]


GOOD = calendar(OWN_ZONE, event(*NIGHT, "EXDATE;TZID=Europe/Bucharest:20260303T220000", "SUMMARY:night"), event(*DAILY, uid="2"))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    position=st.integers(0, len(GOOD) - 1), gone=st.integers(0, 30), put=st.text("0123456789TZ=;:,-BEGINDVALU\r\n", max_size=12)
)
def test_any_calendar_text_is_read_or_refused_with_a_message(position: int, gone: int, put: str) -> None:
    try:
        read = read_calendar(GOOD[:position] + put + GOOD[position + gone :])
    except ValueError as error:
        output = str(error)
    else:
        output = "its events " + str(len(list(read.between(window().zone, at("2026-01-01"), at("2026-06-01")))))
    assert output.startswith(("it is not iCalendar", "its event", "some of its events"))


@pytest.mark.parametrize(
    "line", ["DTSTART:20260303T080000Z", "DTEND:20260303T080000Z", "UID:another", "SEQUENCE:2", "STATUS:CONFIRMED", "SUMMARY:b"]
)
def test_what_an_event_has_once_is_refused_twice(line: str) -> None:
    text = calendar(
        event("DTSTART:20260302T080000Z", "DTEND:20260302T090000Z", "SEQUENCE:1", "STATUS:TENTATIVE", "SUMMARY:a", line)
    )
    with pytest.raises(ValueError, match=f"has {line.partition(':')[0]} more than once"):
        read_calendar(text)


def test_a_calendar_is_parsed_once() -> None:
    gate = window(calendar=calendar(event("DTSTART:20260302T110000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")))
    evaluated(gate, at("2026-05-01"))
    assert read_calendar(gate.calendar[0]) is read_calendar(gate.calendar[0])


def test_without_calendars_and_repetitions_no_library_is_loaded() -> None:
    code = (
        "import sys, json; from datetime import datetime, UTC; from promoter.gates.window.rule import Window, next_opening\n"
        "gate = Window.model_validate({'allow': ['mon 09:00-10:00'], 'freeze': [{'from': '2026-01-01', 'to': '2026-01-05'}]})\n"
        "next_opening(gate, datetime(2026, 1, 1, tzinfo=UTC))\n"
        "print(json.dumps([m for m in ('icalendar', 'recurring_ical_events', 'dateutil') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(done.stdout) == []


def test_an_event_that_ends_as_it_begins_freezes_nothing_and_is_no_fault() -> None:
    text = calendar(event("DTSTART:20260302T100000Z", "DTEND:20260302T100000Z"))
    assert is_open(window(calendar=[text]), at("2026-03-02T10:00"))
