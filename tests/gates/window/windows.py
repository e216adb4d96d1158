"""What tests of windows share: a case, instants, iCalendar files."""

from dataclasses import replace
from datetime import UTC, datetime

from promoter.gates.context import GateContext
from promoter.gates.window.rule import Window, evaluate_window
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, Verdict

CASE = GateContext("prod", Release({}, Source()), "p", "q", None, "a", datetime(2026, 1, 1, tzinfo=UTC))
OWN_ZONE = """\
BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
DTSTART:20001029T040000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
END:DAYLIGHT
END:VTIMEZONE
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(**keys: object) -> Window:
    return Window.model_validate(keys)


def evaluated(gate: Window, now: datetime) -> Verdict:
    return evaluate_window(gate, replace(CASE, now=now))


def is_open(gate: Window, now: datetime) -> bool:
    return evaluated(gate, now).outcome is Outcome.PASSED


def event(*lines: str, uid: str = "1") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""])


def calendar(*parts: str) -> str:
    text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//shop//freezes//EN\n" + "".join(parts) + "END:VCALENDAR\n"
    return text.replace("\n", "\r\n")
