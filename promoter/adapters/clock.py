"""The machine's clock, which also ends every wait of an interrupted run."""

import _thread
import threading
import time
from datetime import UTC, datetime

from promoter.model.errors import Interrupted

_EVER: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """A `Clock`. Restoring uses one that is never interrupted."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def interrupt(self) -> None:
        """End all waits, now and later. May be called from a signal handler."""
        # By a thread: the handler may have stopped the main thread inside `wait`, while it holds the event's own lock.
        _thread.start_new_thread(self._interrupted.set, ())

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return a clock that includes suspended time, if the system has one: leases expire during it."""
        return time.monotonic() if _EVER is None else time.clock_gettime(_EVER)

    def sleep(self, seconds: float) -> None:
        if self._interrupted.wait(max(0.0, seconds)):
            raise Interrupted

    def check(self) -> None:
        if self._interrupted.is_set():
            raise Interrupted
