"""Progress as plain lines, one an event, for pipes, CI logs and dumb terminals. No colour, no cursor."""

from pathlib import Path
from threading import Lock
from typing import TextIO

from promoter.promotion.progress import Event
from promoter.ui.reports.progress_lines import sentence


class Plain:
    """A listener that writes lines. Safe to be told things from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        text = sentence(event)
        if text is None:
            return
        with self._lock:
            try:
                print(text, file=self._stream, flush=True)
            except OSError:  # a pipe without a reader, a closed terminal, a full disk: none of them ends a run
                self._stream = nowhere()


def nowhere() -> TextIO:
    import os

    return Path(os.devnull).open("w", encoding="utf-8")
