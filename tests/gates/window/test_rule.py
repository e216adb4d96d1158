"""Windows and freezes in real time zones, in gaps and overlaps of the clock."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from promoter.gates.context import GateContext
from promoter.gates.window.rule import Window, evaluate_window, next_opening
from promoter.gates.window.wall_clock import read_range
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, ReasonCode

CASE = GateContext("prod", Release({}, Source()), "p", "q", None, "a", datetime(2026, 1, 1, tzinfo=UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def outcome(gate: Window, now: str) -> tuple[Outcome, ReasonCode]:
    verdict = evaluate_window(gate, replace(CASE, now=at(now)))
    return verdict.outcome, verdict.code


OPEN = (Outcome.PASSED, ReasonCode.OK)
CLOSED = (Outcome.WAITING, ReasonCode.OUTSIDE_WINDOW)
WORKDAYS = Window(timezone="Europe/Bucharest", allow=("mon-thu 09:00-16:00",))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02T07:00", OPEN),  # Monday 09:00 in winter
        ("2026-03-02T06:59", CLOSED),
        ("2026-03-02T13:59", OPEN),
        ("2026-03-02T14:00", CLOSED),
        ("2026-03-06T08:00", CLOSED),  # a Friday
        ("2026-07-06T06:00", OPEN),  # Monday 09:00 in summer
    ],
)
def test_a_weekly_window_follows_the_zone(now: str, expected: tuple[Outcome, ReasonCode]) -> None:
    assert outcome(WORKDAYS, now) == expected


def test_the_next_opening_is_named() -> None:
    assert next_opening(WORKDAYS, at("2026-03-05T20:00")) == at("2026-03-09T07:00")
    assert next_opening(WORKDAYS, at("2026-03-02T10:00")) == at("2026-03-02T10:00")


def test_a_window_may_go_over_midnight() -> None:
    night = Window(timezone="UTC", allow=("fri 22:00-02:00",))
    assert outcome(night, "2026-03-06T23:00") == OPEN
    assert outcome(night, "2026-03-07T01:59") == OPEN
    assert outcome(night, "2026-03-07T02:00") == CLOSED
    assert outcome(night, "2026-03-07T23:00") == CLOSED


def test_a_freeze_wins_over_the_window_and_ends_after_its_last_day() -> None:
    gate = Window.model_validate(
        {
            "timezone": "Europe/Bucharest",
            "allow": ["mon-fri 09:00-16:00"],
            "freeze": [{"from": date(2026, 12, 18), "to": date(2027, 1, 5), "reason": "year end"}],
        }
    )
    assert outcome(gate, "2026-12-18T08:00") == (Outcome.WAITING, ReasonCode.FROZEN)
    assert "year end" in evaluate_window(gate, replace(CASE, now=at("2026-12-21T08:00"))).sentence
    assert next_opening(gate, at("2026-12-18T08:00")) == at("2027-01-06T07:00")
    assert outcome(gate, "2027-01-06T07:00") == OPEN


@pytest.mark.parametrize(
    ("zone", "allow", "now", "opens"),
    [
        ("Europe/Bucharest", "sun 03:30-05:00", "2026-03-28T20:00", "2026-03-29T01:00"),  # 03:30 does not exist: 04:00 local
        ("America/New_York", "sun 02:15-04:00", "2026-03-08T00:00", "2026-03-08T07:00"),  # 02:15 does not exist: 03:00 local
        ("Europe/Bucharest", "sun 03:30-05:00", "2026-10-24T20:00", "2026-10-25T00:30"),  # 03:30 occurs twice: the first
        ("Australia/Lord_Howe", "sun 02:10-03:00", "2026-10-03T00:00", "2026-10-03T15:30"),  # a gap of half an hour
        ("Asia/Kathmandu", "mon 00:00-01:00", "2026-03-01T00:00", "2026-03-01T18:15"),
    ],
)
def test_an_opening_in_a_gap_or_an_overlap_of_the_clock(zone: str, allow: str, now: str, opens: str) -> None:
    assert next_opening(Window(timezone=zone, allow=(allow,)), at(now)) == at(opens)


def test_an_hour_that_comes_twice_closes_at_its_second() -> None:
    gate = Window(timezone="Europe/Bucharest", allow=("sun 01:00-03:30",))
    assert outcome(gate, "2026-10-25T01:29") == OPEN
    assert outcome(gate, "2026-10-25T01:30") == CLOSED


@pytest.mark.parametrize("bad", [{"timezone": "Mars/Olympus"}, {"allow": ["someday 9-5"]}, {"allow": ["mon 25:00-26:00"]}])
def test_what_is_no_zone_or_no_range_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="write for example"):
        Window.model_validate(bad)


def test_a_window_that_never_opens_has_no_next_opening() -> None:
    gate = Window.model_validate({"freeze": [{"from": date(2026, 1, 1), "to": date(2032, 1, 1)}]})
    assert next_opening(gate, at("2026-03-02T10:00")) is None


@pytest.mark.parametrize(
    "bad",
    [
        "mon 09:60-10:00",
        "mon 09:00-10:60",
        "mon 09:75-10:99",
        "mon 24:00-25:00",
        "mon 24:00-24:00",
        "mon 25:00-10:00",
        "mon 09:00-24:01",
        "mon 09:00-25:00",
        "moo 09:00-10:00",
        "mon-moo 09:00-10:00",
        "moo-mon 09:00-10:00",
    ],
)
def test_no_such_time_and_no_such_day(bad: str) -> None:
    with pytest.raises(ValueError, match="is not a range: write for example"):
        read_range(bad)


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("09:00-16:00", "0123456", 540, 960),
        ("sun 00:00-24:00", "6", 0, 1440),
        ("fri-mon 23:59-00:59", "0456", 1439, 1499),
        ("mon-sun 00:59-23:59", "0123456", 59, 1439),
        (" SAT-SUN 1:00-1:00 ", "56", 60, 1500),
    ],
)
def test_a_range_is_read(text: str, days: str, start: int, end: int) -> None:
    assert read_range(text) == (frozenset(map(int, days)), start, end)
