"""Compare this machine's clock with engines and registries: leases, expiry and windows depend on it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from promoter.adapters.clock import SystemClock
from promoter.adapters.diagnostics import engines
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.registries import opened
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.registry.permissions import date_of
from promoter.model.errors import PromoterError

PART = "clock"
TOLERATED = timedelta(seconds=5)
"""The tolerated difference. Leases last seconds, and registries report whole seconds."""
TimeSource = Callable[[], datetime | None]


def check(subject: Subject) -> Iterator[Finding]:
    asks: dict[str, TimeSource] = {engines.title(one): _engine(subject, one) for one in subject.engines}
    asks |= {f"registry {host}": _registry(subject, host) for host in subject.registries}
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = dict(zip(asks, pool.map(_offset, asks.values()), strict=True))
    known = {name: offset for name, offset in found.items() if offset is not None}
    if known:
        yield assess(known)


def assess(offsets: dict[str, timedelta]) -> Finding:
    """Report how much each clock is ahead of this machine."""
    off = {name: offset for name, offset in offsets.items() if abs(offset) > TOLERATED}
    if not off:
        return Finding(PART, True, False, f"agrees with {', '.join(offsets)} within {TOLERATED.seconds} s")
    differences = ", ".join(f"{name} by {_format_offset(offset)}" for name, offset in off.items())
    remedy = "synchronize the wrong clock with NTP: leases, expiry and windows use this machine's clock"
    return Finding(PART, False, False, f"differs from {differences}", remedy)


def _format_offset(offset: timedelta) -> str:
    seconds = abs(offset).total_seconds()
    span = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
    return f"{span} ({'it is ahead' if offset > timedelta() else 'it is behind'})"


def _offset(ask: TimeSource) -> timedelta | None:
    """Return the offset from the middle of the request. Other checks report a missing answer."""
    clock = SystemClock()
    before = clock.now()
    try:
        theirs = ask()
    except PromoterError:
        return None
    after = clock.now()
    return None if theirs is None else theirs - (before + (after - before) / 2)


def _engine(subject: Subject, address: str | None) -> TimeSource:
    return lambda: engines.asked(subject, address)[1].at


def _registry(subject: Subject, host: str) -> TimeSource:
    def ask() -> datetime | None:
        with opened(subject) as registry:
            return date_of(registry, host)

    return ask
