"""Progress as plain lines, one for each event, for pipes, CI logs and dumb terminals."""

from pathlib import Path
from threading import Lock
from typing import Self, TextIO

from promoter.promotion.progress import Event
from promoter.ui.reports.brief import Brief
from promoter.ui.reports.progress_lines import sentence


class Plain:
    """A listener that writes lines. Use as a context manager. Thread-safe. `brief` chooses the events; None shows all."""

    def __init__(self, stream: TextIO, brief: Brief | None = None) -> None:
        self._stream, self._brief = stream, brief
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for line in self._brief.unfinished() if self._brief else ():
                self._print(line)

    def __call__(self, event: Event) -> None:
        text = sentence(event)
        with self._lock:
            if (self._brief is None or self._brief.shows(event)) and text is not None:
                self._print(text)

    def _print(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except OSError:  # a pipe without a reader, a closed terminal, a full disk: none of these may end a run
            self._stream = nowhere()


def nowhere() -> TextIO:
    import os

    return Path(os.devnull).open("w", encoding="utf-8")
