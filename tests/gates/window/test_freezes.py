# ruff: noqa: E501 (rules and their faults on one line each)
"""Recurring freezes, freezes of hours, and what is refused. A simulation checks each minute around clock changes."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from promoter.config.spec_errors import faults_of
from promoter.gates.next_opening import opens_together
from promoter.gates.window.rrule import check_rule
from promoter.gates.window.rule import Window, next_opening
from promoter.model.verdict import ReasonCode
from tests.gates.window.windows import CASE, at, evaluated, is_open, window

YEAR_END = {"from": date(2020, 12, 18), "to": date(2021, 1, 5), "reason": "year end", "repeat": "FREQ=YEARLY"}


@pytest.mark.parametrize("year", [2020, 2021, 2026, 2039])
def test_a_yearly_freeze_comes_back_over_every_new_year(year: int) -> None:
    gate = window(timezone="Europe/Bucharest", freeze=[YEAR_END])
    assert is_open(gate, at(f"{year}-12-17T21:59:59"))
    assert not is_open(gate, at(f"{year}-12-17T22:00"))
    assert not is_open(gate, at(f"{year + 1}-01-05T21:59:59"))
    assert is_open(gate, at(f"{year + 1}-01-05T22:00"))
    assert next_opening(gate, at(f"{year}-12-31T23:59")) == at(f"{year + 1}-01-05T22:00")


def test_it_does_not_come_before_its_first_time() -> None:
    assert is_open(window(freeze=[YEAR_END]), at("2019-12-31T12:00"))


def test_the_verdict_names_reason_end_and_next_opening() -> None:
    gate = window(timezone="Europe/Bucharest", allow=["mon-fri 09:00-16:00"], freeze=[YEAR_END])
    verdict = evaluated(gate, at("2026-12-21T08:00"))
    assert verdict.code is ReasonCode.FROZEN
    assert verdict.sentence == "frozen until the end of 2027-01-05 (year end); opens 2027-01-06 09:00 EET"
    assert verdict.opens_at == at("2027-01-06T07:00")
    outside = evaluated(gate, at("2026-12-17T18:00"))
    assert outside.code is ReasonCode.OUTSIDE_WINDOW
    assert outside.sentence == "outside mon-fri 09:00-16:00 Europe/Bucharest; opens 2027-01-06 09:00 EET"


def test_a_weekly_freeze_and_its_span() -> None:
    gate = window(freeze=[{"from": date(2026, 1, 2), "to": date(2026, 1, 2), "repeat": "FREQ=WEEKLY;BYDAY=FR"}])
    found = [day for day in range(1, 29) if not is_open(gate, datetime(2026, 5, day, 12, tzinfo=UTC))]
    assert found == [1, 8, 15, 22]


def test_the_last_day_of_each_month() -> None:
    gate = window(freeze=[{"from": date(2024, 1, 31), "to": date(2024, 1, 31), "repeat": "FREQ=MONTHLY;BYMONTHDAY=-1"}])
    first = datetime(2024, 1, 1, 12, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range(366)]
    assert [day for day in days if not is_open(gate, day)] == [day for day in days if (day + timedelta(days=1)).day == 1]


def test_the_span_itself_is_frozen_even_where_the_rule_does_not_fall() -> None:
    gate = window(freeze=[{"from": date(2026, 3, 2), "to": date(2026, 3, 2), "repeat": "FREQ=WEEKLY;BYDAY=FR"}])
    assert [day for day in range(1, 15) if not is_open(gate, datetime(2026, 3, day, 12, tzinfo=UTC))] == [2, 6, 13]


@pytest.mark.parametrize(
    ("freeze", "begins", "ends", "message"),
    [
        ({"from": "2026-12-24T12:00", "to": "2026-12-27"}, "2026-12-24T10:00", "2026-12-27T22:00", "the end of 2026-12-27"),
        ({"from": "2026-12-24", "to": "2026-12-27T08:30"}, "2026-12-23T22:00", "2026-12-27T06:30", "2026-12-27 08:30 EET"),
        (
            {"from": "2026-12-24T12:00Z", "to": "2026-12-24T15:30+01:00"},
            "2026-12-24T12:00",
            "2026-12-24T14:30",
            "2026-12-24 16:30 EET",
        ),
        (
            {"from": "2026-12-24 12:00:30", "to": "2026-12-24T12:00:31"},
            "2026-12-24T10:00:30",
            "2026-12-24T10:00:31",
            "2026-12-24 12:00 EET",
        ),
        (
            {"from": "2025-12-24T12:00", "to": "2025-12-25T00:00", "repeat": "FREQ=YEARLY"},
            "2026-12-24T10:00",
            "2026-12-24T22:00",
            "the end of 2026-12-24",
        ),
        (
            {"from": "2025-12-24T12:00Z", "to": "2025-12-24T13:00Z", "repeat": "FREQ=YEARLY"},
            "2026-12-24T12:00",
            "2026-12-24T13:00",
            "2026-12-24 15:00 EET",
        ),
    ],
)
def test_freezes_of_hours(freeze: dict[str, object], begins: str, ends: str, message: str) -> None:
    gate, first, end, second = window(timezone="Europe/Bucharest", freeze=[freeze]), at(begins), at(ends), timedelta(seconds=1)
    assert [is_open(gate, t) for t in (first - second, first, end - second, end)] == [True, False, False, True]
    assert next_opening(gate, first) == end
    assert evaluated(gate, first).sentence.startswith(f"frozen until {message};")


def test_until_and_count_end_a_repetition() -> None:
    day = {"from": "2026-01-01T20:00", "to": "2026-01-01T23:00"}

    def days(rule: str) -> list[int]:
        gate = window(timezone="Europe/Bucharest", freeze=[{**day, "repeat": rule}])
        return [n for n in range(1, 9) if not is_open(gate, datetime(2026, 1, n, 19, tzinfo=UTC))]

    assert days("FREQ=DAILY;COUNT=3") == [1, 2, 3]
    assert days("FREQ=DAILY;UNTIL=20260104") == [1, 2, 3, 4]
    assert days("FREQ=DAILY;UNTIL=20260104T195959") == [1, 2, 3]
    assert days("FREQ=DAILY;UNTIL=20260104T180000Z") == [1, 2, 3, 4]
    assert days("rrule:freq=daily;interval=2;until=20260104T175959Z;") == [1, 3]


def test_a_repetition_longer_than_its_period_freezes_all_of_it() -> None:
    gate = window(
        freeze=[{"from": date(2026, 1, 1), "to": date(2026, 1, 10), "repeat": "FREQ=WEEKLY;COUNT=10", "reason": "busy"}]
    )
    assert all(not is_open(gate, at("2026-01-01") + timedelta(hours=5 * n)) for n in range(14 * 24 // 5))
    assert evaluated(gate, at("2026-01-01")).sentence == "frozen until the end of 2026-03-14 (busy); opens 2026-03-15 00:00 UTC"


def test_of_overlapping_freezes_the_longest_is_reported() -> None:
    freezes = [("2026-01-01", "2026-01-03", "a"), ("2026-01-02", "2026-01-09", "b"), ("2026-01-04", "2026-01-05", "c")]
    gate = window(freeze=[{"from": first, "to": last, "reason": why} for first, last, why in freezes])
    found = [evaluated(gate, at(f"2026-01-0{day}")).sentence.partition(";")[0] for day in (1, 2, 4, 6)]
    assert found == ["frozen until the end of 2026-01-03 (a)", *["frozen until the end of 2026-01-09 (b)"] * 3]
    assert next_opening(gate, at("2026-01-01")) == at("2026-01-10")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("FREQ=HOURLY", "more often than daily"),
        ("FREQ=MINUTELY", "more often"),
        ("FREQ=SECONDLY", "more often"),
        ("", "not a recurrence rule"),
        ("yearly", "not a recurrence rule"),
        ("BYDAY=FR", "has no FREQ of DAILY"),
        ("FREQ=FORTNIGHTLY", "has no FREQ of DAILY"),
        ("FREQ=DAILY;FREQ=DAILY", "has FREQ twice"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;COUNT=-1", "COUNT=-1"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "keep one"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY=0MO"),
        ("FREQ=WEEKLY;BYDAY=1FR", "counts weekdays"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH=13"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH=-1"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0"),
        ("FREQ=YEARLY;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;BYHOUR=1", "write the time in"),
        ("FREQ=DAILY;UNTIL=2027", "UNTIL=2027"),
        ("FREQ=DAILY;UNTIL=20279999", "UNTIL=20279999"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "no such month"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "with YEARLY"),
        ("FREQ=DAILY;BYSETPOS=1;BYDAY=MO", "BYSETPOS with"),
        ("FREQ=YEARLY;BYSETPOS=1", "no other BY… part to select from"),
        ("FREQ=YEARLY;UNTIL=20260601", "does not repeat after"),
        ("FREQ=DAILY;COUNT=1", "does not repeat after"),
        ("FREQ=DAILY\nDTSTART:20200101", "has no FREQ of DAILY"),
        ("FREQ=DAILY;WKST=1MO", "WKST=1MO"),
        ("FREQ=DAILY;WKST=XX", "WKST=XX"),
        ("FREQ=WEEKLY;BYDAY=", "not a recurrence rule: write"),
        ("FREQ=WEEKLY;=FR", "has , which"),
        ("FREQ=WEEKLY;BYDAY", "not a recurrence rule: write"),
        ("FREQ=DAILY;COUNT=1=2", "COUNT=1=2 is invalid"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY=54MO is invalid"),
        ("FREQ=YEARLY;BYMONTH=+5", "BYMONTH=+5"),
        ("FREQ=DAILY;BYDAY=1MO", "counts weekdays"),
        ("FREQ=YEARLY;BYMONTH=2,4;BYMONTHDAY=31", "no such month"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,-31", "no such month"),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=31", "no such month"),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", "no such month"),
    ],
)
def test_a_bad_rule_is_refused_with_what_to_write(rule: str, why: str) -> None:
    with pytest.raises(ValidationError) as error:
        window(freeze=[{"from": date(2026, 1, 5), "to": date(2026, 1, 5), "repeat": rule}])
    (fault,) = faults_of(error.value, Window)
    assert why in fault.message
    assert fault.at == ("freeze", 0, "repeat")
    assert repr(rule) in fault.message or "does not repeat after" in fault.message
    assert fault.hint or any(word in fault.message for word in ("write", "use", "keep", "put", "no such month"))


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=MO;WKST=SU",
        "FREQ=YEARLY;BYDAY=53MO,-53TU",
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
        "FREQ=YEARLY;BYMONTH=1,2;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,31",
        "FREQ=DAILY;UNTIL=20270101T000000",
        "FREQ=YEARLY;BYWEEKNO=+1,-53",
        "FREQ=YEARLY;BYYEARDAY=366,+1,-1",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=3,4;BYMONTHDAY=31",
    ],
)
def test_a_valid_rule_is_accepted_unchanged(rule: str) -> None:
    assert check_rule(f" rrule:{rule.lower()}; ") == rule


@pytest.mark.parametrize(("hours", "fits"), [(24, True), (25, False)])
def test_times_of_day_are_counted(hours: int, fits: bool) -> None:
    rule = "FREQ=DAILY;BYHOUR=" + ",".join(str(n % 24) for n in range(hours))
    if fits:
        assert check_rule(rule, times=True) == rule
    else:
        with pytest.raises(ValueError, match="more than 24 times a day"):
            check_rule(rule, times=True)


def test_freezes_for_one_reason_go_on_over_the_turn_of_the_year() -> None:
    freezes = [("2026-12-20", "2026-12-31"), ("2027-01-01", "2027-01-05")]
    gate = window(freeze=[{"from": first, "to": last, "reason": "busy"} for first, last in freezes])
    assert evaluated(gate, at("2026-12-24")).sentence == "frozen until the end of 2027-01-05 (busy); opens 2027-01-06 00:00 UTC"


def test_parts_of_one_freeze_count_as_one_next_to_another() -> None:
    freezes = [("2026-01-01", "2026-01-03", "a"), ("2026-01-02", "2026-01-05", "b"), ("2026-01-04", "2026-01-08", "a")]
    gate = window(freeze=[{"from": first, "to": last, "reason": why} for first, last, why in freezes])
    assert evaluated(gate, at("2026-01-03")).sentence.startswith("frozen until the end of 2026-01-08 (a)")


@pytest.mark.parametrize(
    ("first", "last", "hint"),
    [
        ("2026-01-01T12:00", "2026-01-01T12:00", "remove the times to freeze the whole day"),
        ("2026-01-02", "2026-01-01", "swap `from` and `to`"),
        ("2026-01-01T12:00+00:00", "2026-01-01T14:00", "swap `from` and `to`"),
        ("2026-01-01T14:00", "2026-01-01T12:00+00:00", "swap `from` and `to`"),
    ],
)
def test_what_to_do_about_a_freeze_that_ends_before_it_begins(first: str, last: str, hint: str) -> None:
    """In Bucharest, two hours before UTC: a time with an offset and a local time are compared as instants."""
    with pytest.raises(ValidationError) as error:
        window(timezone="Europe/Bucharest", freeze=[{"from": first, "to": last}])
    (fault,) = faults_of(error.value, Window)
    assert fault.hint == hint


def test_on_the_wall_the_later_time_is_later_even_where_the_clock_goes_back() -> None:
    """03:30 occurs twice that night: one hour is between the two, although the local times are equal."""
    gate = window(timezone="Europe/Bucharest", freeze=[{"from": "2026-10-25T03:30", "to": "2026-10-25T03:40"}])
    assert [is_open(gate, at(f"2026-10-25T{clock}")) for clock in ("00:29", "00:30", "01:39", "01:40")] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-01-02", "2026-01-01", "this freeze ends on 2026-01-01, before it begins on 2026-01-02"),
        ("2026-01-01T12:00", "2026-01-01T11:59", "this freeze ends on 2026-01-01 11:59, before it begins on 2026-01-01 12:00"),
        ("2026-01-01T12:00", "2026-01-01T12:00", "this freeze ends on 2026-01-01 12:00, when it begins"),
        ("2026-01-02", "2026-01-01T12:00", "this freeze ends on 2026-01-01 12:00, before it begins on 2026-01-02"),
        (
            "2026-01-01T12:00Z",
            "2026-01-01T12:30+02:00",
            "this freeze ends on 2026-01-01 12:30+02:00, before it begins on 2026-01-01 12:00+00:00",
        ),
    ],
)
def test_a_freeze_that_ends_before_it_begins_is_refused(first: str, last: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        window(freeze=[{"from": "2026-01-01", "to": "2026-01-01"}, {"from": first, "to": last}])
    (fault,) = faults_of(error.value, Window)
    assert (fault.at, fault.message) == (("freeze", 1), message)


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("2026-10-25T03:30", "2026-10-25T03:20", False),  # by local time it ends before it begins, though that night it need not
        ("2026-10-25T00:30Z", "2026-10-25T01:10Z", True),  # 03:30 and 03:10 local time, forty minutes apart
        ("2026-01-01T13:00", "2026-01-01T12:00Z", True),  # 11:00 and 12:00 in UTC
        ("2026-01-01T10:00Z", "2026-01-01T11:00", False),  # 11:00 is 09:00 in UTC
    ],
)
def test_local_times_are_compared_as_local_times_and_others_as_instants(first: str, last: str, fits: bool) -> None:
    freeze = {"from": first, "to": last}
    if fits:
        assert window(timezone="Europe/Bucharest", freeze=[freeze])
    else:
        with pytest.raises(ValidationError, match="this freeze ends on"):
            window(timezone="Europe/Bucharest", freeze=[freeze])


@pytest.mark.parametrize(
    "bad", ["tomorrow", "2026-13-01", "2026-02-30T10:00", "2026-W01-1", "20260101", 20260101, True, "2026-01-01T25:00"]
)
def test_what_is_no_date_and_no_time_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError, match="neither a date nor a time: write for example 2026-12-18 or 2026-12-24T12:00"):
        window(freeze=[{"from": bad, "to": "2027-01-01"}])


@pytest.mark.parametrize(
    "keys",
    [
        {"freeze": [{"from": "2020-01-01", "to": "9999-12-31"}]},
        {"freeze": [{"from": "0001-01-01", "to": "9999-12-31", "repeat": "FREQ=YEARLY"}]},
        {"freeze": [{"from": "2020-01-01", "to": "2020-01-01", "repeat": "FREQ=DAILY"}]},
        {
            "freeze": [
                {"from": "2020-01-01", "to": "2020-12-31", "repeat": "FREQ=YEARLY"},
                {"from": "2020-02-29", "to": "2020-12-31", "repeat": "FREQ=MONTHLY"},
            ]
        },
        {
            "allow": ["mon 09:00-10:00"],
            "freeze": [{"from": "2020-01-06T08:00", "to": "2020-01-06T10:00", "repeat": "FREQ=WEEKLY"}],
        },
        {
            "allow": ["09:00-10:00", "11:00-12:00"],
            "freeze": [{"from": "2020-01-06T09:00", "to": "2020-01-06T12:00", "repeat": "FREQ=DAILY"}],
        },
    ],
)
def test_a_window_that_never_opens_is_reported(keys: dict[str, object]) -> None:
    gate = window(timezone="Europe/Bucharest", **keys)
    assert next_opening(gate, at("2026-03-02T07:00")) is None
    for minutes in (0, 1, 3 * 24 * 60):
        assert evaluated(gate, at("2026-03-02T07:00") + timedelta(minutes=minutes)).sentence.endswith(
            "; never opens within five years"
        )


def test_the_horizon_is_five_years() -> None:
    gate = window(freeze=[{"from": "2026-01-01", "to": "2030-12-31"}])
    assert next_opening(gate, at("2026-01-01")) == at("2031-01-01")
    assert next_opening(gate, at("2026-03-02")) == at("2031-01-01")
    longer = window(freeze=[{"from": "2026-01-01", "to": "2031-01-31"}])
    assert evaluated(longer, at("2026-01-01")).sentence == "frozen for more than five years; never opens within five years"
    assert next_opening(longer, at("2026-06-01")) == at("2031-02-01")


def test_a_search_that_reaches_its_limit_reports_the_last_time_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promoter.gates.window.rule._MOST_JUMPS", 6)
    gate = window(allow=["09:00-10:00"], freeze=[{"from": "2020-01-01T09:00", "to": "2020-01-01T10:00", "repeat": "FREQ=DAILY"}])
    assert (
        evaluated(gate, at("2026-01-01T08:00")).sentence == "outside 09:00-10:00 UTC; does not open before 2026-01-03 10:00 UTC"
    )


def test_gates_that_open_together_see_recurring_freezes() -> None:
    gates = (
        window(allow=["09:00-10:00"]),
        window(freeze=[{"from": "2026-01-01T08:00", "to": "2026-01-01T09:30", "repeat": "FREQ=DAILY"}]),
    )
    assert opens_together(gates, CASE) == at("2026-01-01T09:30")


def test_the_title_lists_freezes_and_calendars() -> None:
    assert window().title() == "window always UTC"
    assert window(freeze=[YEAR_END]).title() == "window always UTC with freezes"
    assert window(calendar="a").title() == "window always UTC with 1 calendar"
    assert window(freeze=[YEAR_END], calendar=["a", "b"]).title() == "window always UTC with freezes and 2 calendars"


DAYS = 24
CHANGES = [
    ("Europe/Bucharest", "2026-03-29"),
    ("Europe/Bucharest", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Casablanca", "2025-02-23"),
    ("Africa/Casablanca", "2025-04-06"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/St_Johns", "2010-11-07"),
    ("Pacific/Apia", "2011-12-30"),
    ("UTC", "2026-01-01"),
]
RULES = {
    None: lambda first, day: False,
    "FREQ=DAILY;INTERVAL=5": lambda first, day: (day - first).days % 5 == 0,
    "FREQ=WEEKLY;BYDAY=SU,WE": lambda first, day: day.weekday() in (2, 6),
    "FREQ=MONTHLY;BYMONTHDAY=-1": lambda first, day: (day + timedelta(days=1)).day == 1,
    "FREQ=YEARLY": lambda first, day: (day.month, day.day) == (first.month, first.day),
}


@cache
def clock(zone: str, day: str) -> tuple[datetime, list[datetime], list[datetime]]:
    """Return values for each minute around a change: the first instant, the latest local time so far, the earliest still to come."""
    begin = datetime.combine(date.fromisoformat(day) - timedelta(days=DAYS // 2), time(), UTC)
    walls = [(begin + timedelta(minutes=n)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for n in range(DAYS * 1440)]
    return begin, list(accumulate(walls, max)), list(accumulate(reversed(walls), min))[::-1]


def expected(zone: str, day: str, allow: tuple[int, int, int], freeze: tuple[datetime, timedelta, str | None]) -> list[bool]:
    """Return for each minute whether it is open: from the first local time at or after the start, to the last one before the end."""
    begin, latest, earliest = clock(zone, day)

    def minutes(start: datetime, end: datetime) -> range:
        return range(bisect_left(latest, start), bisect_left(earliest, end))

    weekday, opens, lasts = allow
    first, length, rule = freeze
    found = [False] * len(latest)
    days = [begin.date() + timedelta(days=n) for n in range(-900, DAYS + 2)]
    for one in days[895:]:
        if weekday in (7, one.weekday()):
            start = datetime.combine(one, time()) + timedelta(minutes=opens)
            for n in minutes(start, start + timedelta(minutes=lasts)):
                found[n] = True
    for one in days:
        if one == first.date() or (one > first.date() and RULES[rule](first.date(), one)):
            start = datetime.combine(one, first.time())
            for n in minutes(start, start + length):
                found[n] = False
    return found


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    weekday=st.integers(0, 7),
    opens=st.integers(0, 95),
    lasts=st.integers(1, 96),
    back=st.integers(-12, 800),
    hour=st.integers(0, 95),
    length=st.integers(1, 400),
    rule=st.sampled_from(list(RULES)),
    step=st.integers(61, 257),
)
@example(CHANGES[1], 7, 0, 96, 1, 13, 2, "FREQ=DAILY;INTERVAL=5", 61)
@example(CHANGES[10], 7, 0, 96, 5, 0, 1, "FREQ=DAILY;INTERVAL=5", 61)
@example(CHANGES[3], 6, 0, 4, 0, 0, 1, None, 61)
def test_every_predicted_opening_equals_the_result_of_a_minute_scan(
    change: tuple[str, str], weekday: int, opens: int, lasts: int, back: int, hour: int, length: int, rule: str | None, step: int
) -> None:
    zone, day = change
    first = datetime.combine(date.fromisoformat(day) - timedelta(days=back), time()) + timedelta(minutes=15 * hour)
    span = timedelta(minutes=15 * length)
    found = expected(zone, day, (weekday, 15 * opens, 15 * lasts), (first, span, rule))
    end = (15 * (opens + lasts)) % 1440
    days = "" if weekday == 7 else f"{('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')[weekday]} "
    allow = f"{days}{opens // 4:02}:{opens % 4 * 15:02}-{end // 60:02}:{end % 60:02}"
    freeze = {"from": first.isoformat(), "to": (first + span).isoformat()} | ({"repeat": rule} if rule else {})
    gate = window(timezone=zone, allow=[allow], freeze=[freeze])
    begin = clock(zone, day)[0]
    for n in range(0, (DAYS - 2) * 1440, step):
        now, promised = begin + timedelta(minutes=n), next((m for m in range(n, len(found)) if found[m]), None)
        opening = next_opening(gate, now)
        if promised is None:
            assert opening is None or opening >= begin + timedelta(days=DAYS - 2)
        else:
            assert opening == begin + timedelta(minutes=promised)
        assert is_open(gate, now) is found[n]


def test_the_last_hours_of_a_year_do_not_depend_on_the_time_zone_of_the_machine() -> None:
    gate = window(freeze=[{"from": "2026-12-31T19:00Z", "to": "2026-12-31T21:00Z"}])
    assert [is_open(gate, at(f"2026-12-31T{clock}")) for clock in ("18:59", "19:00", "20:59", "21:00")] == [
        True,
        False,
        False,
        True,
    ]
