"""How reports fit a terminal: widths, times, colours."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from promoter.ui.reports.view import Cell, View, span

NOW = datetime(2026, 11, 28, 6, 4, tzinfo=UTC)
VIEW = View(NOW)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=12), "12 s"),
        (timedelta(minutes=17, seconds=59), "17 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_a_length_of_time_is_shown_in_its_largest_unit(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_a_time_is_shown_in_the_zone_with_the_date_only_if_it_is_another_day() -> None:
    kathmandu = replace(VIEW, zone=ZoneInfo("Asia/Kathmandu"))
    assert (VIEW.at(NOW), kathmandu.at(NOW)) == ("06:04:00", "11:49:00")
    assert kathmandu.at(NOW - timedelta(hours=12)) == "2026-11-27 23:49:00"
    assert VIEW.ago(NOW + timedelta(seconds=5)) == "0 s", "clocks differ"


def test_the_last_column_is_wrapped_next_to_the_others_or_below_them() -> None:
    rows = [("dev", Cell("deployed", "good"), "word " * 8)]
    assert replace(VIEW, width=50).table(rows) == [
        "  dev  deployed  word word word word word word",
        "                 word word",
    ]
    assert replace(VIEW, width=30).table(rows)[0] == "  dev  deployed"
    assert VIEW.table(rows) == ["  dev  deployed  " + "word " * 8]


def test_colours_change_no_width() -> None:
    rows = [("dev", Cell("deployed", "good"), Cell("word " * 8, "wait")), ("prod", "-", "")]
    plain, painted = replace(VIEW, width=50), replace(VIEW, width=50, colour=True)
    lines = painted.table(rows)
    assert "\x1b[32mdeployed\x1b[0m" in lines[0]
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in lines] == plain.table(rows)


def test_a_headline_has_its_right_part_at_the_edge() -> None:
    assert replace(VIEW, width=20).line("shop", "06:04") == "shop           06:04"
    assert replace(VIEW, width=12).line("shop: release 123", "06:04").splitlines() == ["shop: release 123", "  06:04"]
