"""Port: time, and whether to go on."""

from datetime import datetime
from typing import Protocol


# ---------------------------------------------------------------- clock, secrets, source, files
class Clock(Protocol):
    """Time, and the one way to wait: every wait ends early when the run is being interrupted."""

    def now(self) -> datetime:
        """Now, with zone UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def sleep(self, seconds: float) -> None:
        """Waits, or raises Interrupted at once when the run is being interrupted."""

    def check(self) -> None:
        """Raises Interrupted when the run is being interrupted."""
