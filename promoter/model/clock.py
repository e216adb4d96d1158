"""Port: time and interruption."""

from datetime import datetime
from typing import Protocol


# ---------------------------------------------------------------- clock, secrets, source, files
class Clock(Protocol):
    """Time, and the only way to wait: every wait ends early if the run is interrupted."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, which never decrease."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raise Interrupted at once if the run is interrupted."""

    def check(self) -> None:
        """Raise Interrupted if the run is interrupted."""
