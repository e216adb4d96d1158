"""The log of a build: lines as they arrive, checks for interruption in between, and the last lines for an error."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue

from promoter.adapters.thread_queue import fill
from promoter.model.errors import BuildError
from promoter.promotion.ports.secrets import Secrets

POLL_INTERVAL = 0.1
_LAST = 20
Check = Callable[[], None]
"""Raises Interrupted when the run is interrupted."""


def never() -> None:
    """Check nothing: this run cannot be interrupted."""


def attentive(lines: Iterable[str], check: Check) -> Iterator[str]:
    """Yield `lines`, read in another thread, so that `check` also runs while the build is silent."""
    queue: SimpleQueue[str | BaseException | None] = SimpleQueue()
    threading.Thread(target=fill, args=(queue, lines), daemon=True, name="build log").start()
    while True:
        try:
            item = queue.get(timeout=POLL_INTERVAL)
        except Empty:
            check()
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        check()
        yield item


class BuildLog:
    """Passes on each line without secrets, and remembers the last ones."""

    def __init__(self, secrets: Secrets, emit: Callable[[str], None]) -> None:
        self._secrets, self._emit = secrets, emit
        self._last: deque[str] = deque(maxlen=_LAST)

    def line(self, text: str) -> None:
        text = self._secrets.redact(text.rstrip())
        self._last.append(text)
        self._emit(text)

    def find(self, opening: str) -> str | None:
        """Return the last line with this prefix."""
        return next((line for line in reversed(self._last) if line.startswith(opening)), None)

    def failure(self, service: str, why: str, hint: str | None = None, *, retryable: bool = False) -> BuildError:
        """Make the error with the reason and the last lines."""
        shown = "".join(f"\n  {line}" for line in self._last if line.strip())
        return BuildError(f"{service} could not be built: {self._secrets.redact(why)}{shown}", hint=hint, retryable=retryable)
