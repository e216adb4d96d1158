"""A clock that does not wait: sleeping advances its time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from promoter.model.errors import Interrupted

START = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = START) -> None:
        self.sleeps: list[float] = []
        self.interrupt_after: int | None = None
        """How many more sleeps succeed; None for all of them."""
        self.meanwhile: list[Callable[[], object]] = []
        """What others do during the next sleeps, one function for each."""
        self._start = self._now = now
        self._interrupted = False

    def interrupt(self) -> None:
        self._interrupted = True

    def advance(self, span: timedelta) -> None:
        self._now += span

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        if self.interrupt_after is not None and len(self.sleeps) >= self.interrupt_after:
            self.interrupt()
        self.check()
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.sleeps.append(seconds)
        self._now += timedelta(seconds=max(0.0, seconds))

    def check(self) -> None:
        if self._interrupted:
            raise Interrupted
