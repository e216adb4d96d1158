"""A job's log on GitLab, in sections that fold. Untrusted text has no control characters, so it cannot forge a section."""

import re
import time
from collections.abc import Callable
from itertools import count
from typing import TextIO

from promoter.ui.reports.plain import nowhere
from promoter.ui.reports.progress_lines import clean

_ERASE = "\x1b[0K"


class GitlabLog:
    """A sink of sections."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.time) -> None:
        self._stream, self._clock = stream, clock
        self._numbers = count(1)
        self._open = ""

    def open(self, title: str) -> None:
        """Open a section, with a unique name even if the title is repeated."""
        self._open = f"{re.sub('[^a-z0-9]+', '_', title.lower())}_{next(self._numbers)}"
        self._write(f"{self._mark('start', '[collapsed=true]')}{clean(title)}")

    def line(self, text: str) -> None:
        self._write(clean(text))

    def close(self) -> None:
        self._write(self._mark("end"))

    def _mark(self, word: str, options: str = "") -> str:
        return f"{_ERASE}section_{word}:{int(self._clock())}:promoter_{self._open}{options}\r{_ERASE}"

    def _write(self, line: str) -> None:
        try:
            print(line, file=self._stream, flush=True)
        except BrokenPipeError:
            self._stream = nowhere()
