"""The window gate: the hours of the week in which a promotion may start, and freezes in which none may.

The next opening is found by jumps: to the end of the current freeze, to the next opening of the week.
"""

from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import field_validator, model_validator

from promoter.config.fields import Texts
from promoter.config.spec_errors import Fault, Misfit
from promoter.gates.check_base import GateShape
from promoter.gates.context import GateContext
from promoter.gates.window.freezes import Freeze, Freezes, Frozen
from promoter.gates.window.wall_clock import Week, instant, read_range
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting

_HORIZON = timedelta(days=5 * 365 + 2)
_MOST_JUMPS = 50_000


class Window(GateShape):
    """`allow` holds ranges such as `mon-thu 09:00-16:00` or `22:00-02:00` (over midnight); empty allows always.

    `calendar` names iCalendar files; after the pipeline file is read, it holds their content.
    """

    kind: ClassVar[str] = "window"

    timezone: str = "UTC"
    allow: tuple[str, ...] = ()
    freeze: tuple[Freeze, ...] = ()
    calendar: Texts = ()

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
            read_range(text)
        return value

    @model_validator(mode="after")
    def _freezes(self) -> "Window":
        found = ((index, freeze.fault(self.zone)) for index, freeze in enumerate(self.freeze))
        faults = [Fault(("freeze", index, *one.at), one.message, one.hint) for index, one in found if one is not None]
        if faults:
            raise Misfit(*faults)
        return self

    def title(self) -> str:
        calendars = f"{len(self.calendar)} calendar" + "s" * (len(self.calendar) > 1) if self.calendar else ""
        closures = " and ".join(filter(None, ("freezes" if self.freeze else "", calendars)))
        return f"window {', '.join(self.allow) or 'always'} {self.timezone}" + (f" with {closures}" if closures else "")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def timetable(self) -> "Timetable":
        return Timetable(Week(self.zone, self.allow), Freezes(self.zone, self.freeze, self.calendar))


class Reached(NamedTuple):
    """The result of a search: closed until `at`; then it is open, or the search ended."""

    at: datetime
    is_open: bool


class Timetable:
    """Week and freezes together. The last search is cached, because the next one is usually a little later."""

    def __init__(self, week: Week, freezes: Freezes) -> None:
        self.week, self.freezes = week, freezes
        self._closed: tuple[datetime, datetime] | None = None

    def search(self, now: datetime) -> Reached:
        """Return the first instant at or after `now` at which it is open, within the horizon and a number of jumps."""
        horizon = now + _HORIZON
        closed = self._closed
        at = closed[1] if closed is not None and closed[0] <= now < closed[1] else now
        is_open = False
        for _ in range(_MOST_JUMPS):
            if at > horizon:
                break
            later = self._jump(at, horizon)
            is_open = later == at
            if is_open:
                break
            at = later
        if at > now:
            self._closed = (now, at)
        return Reached(at, is_open)

    def _jump(self, at: datetime, horizon: datetime) -> datetime:
        """Return `at` if it is open then, else an instant until which it is certainly closed."""
        frozen = self.freezes.covering(at)
        if frozen is not None:
            return frozen.ends
        return self.week.opens(at) or horizon + timedelta(days=1)


def evaluate_window(gate: Window, case: GateContext) -> Verdict:
    table, now = gate.timetable, case.now.astimezone(UTC)
    reached = table.search(now)
    if reached == (now, True):
        return passed("inside the window")
    frozen = table.freezes.covering(now)
    when, opens = _when(gate, now, reached), reached.at if reached.is_open else None
    if frozen is not None:
        frozen = table.freezes.extended(frozen, now + _HORIZON)
        why = f" ({frozen.reason})" if frozen.reason else ""
        return waiting(ReasonCode.FROZEN, f"frozen {_until(gate, now, frozen)}{why}; {when}", opens)
    return waiting(ReasonCode.OUTSIDE_WINDOW, f"outside {', '.join(gate.allow)} {gate.timezone}; {when}", opens)


def next_opening(gate: Window, now: datetime) -> datetime | None:
    """Return the first instant at or after `now` at which the gate is open; None if there is none within five years."""
    reached = gate.timetable.search(now.astimezone(UTC))
    return reached.at if reached.is_open else None


def _when(gate: Window, now: datetime, reached: Reached) -> str:
    if not reached.is_open and reached.at > now + _HORIZON:
        return "never opens within five years"
    return f"{'opens' if reached.is_open else 'does not open before'} {reached.at.astimezone(gate.zone):%Y-%m-%d %H:%M %Z}"


def _until(gate: Window, now: datetime, frozen: Frozen) -> str:
    """Return the end of a freeze. If it ends at midnight, name its last day."""
    if frozen.ends > now + _HORIZON:
        return "for more than five years"
    local = frozen.ends.astimezone(gate.zone)
    if instant(gate.zone, datetime.combine(local.date(), time()), last=True) == frozen.ends:
        return f"until the end of {local.date() - timedelta(days=1)}"
    return f"until {local:%Y-%m-%d %H:%M %Z}"
