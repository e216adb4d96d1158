"""Progress as plain lines, one for each event, for pipes, CI logs and dumb terminals."""

from pathlib import Path
from threading import Lock
from typing import TextIO

from promoter.promotion.progress import Event
from promoter.ui.reports.progress_lines import sentence


class Plain:
    """A listener that writes lines. Thread-safe."""

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
            except OSError:  # a pipe without a reader, a closed terminal, a full disk: none of these may end a run
                self._stream = nowhere()


def nowhere() -> TextIO:
    import os

    return Path(os.devnull).open("w", encoding="utf-8")
