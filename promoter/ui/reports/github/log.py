"""The step's log on GitHub, written to stderr: groups, fences around untrusted text, and commands between them."""

from collections.abc import Sequence
from threading import RLock
from typing import TextIO

from promoter.ui.reports.github.commands import command, fenced, harmless, masks, new_token, resume, stop
from promoter.ui.reports.plain import nowhere


class GithubLog:
    """A sink of sections. Thread-safe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = RLock()
        self._token: str | None = None

    def open(self, title: str) -> None:
        with self._lock:
            self._write([command("group", title)])
            self._stop()

    def line(self, text: str) -> None:
        with self._lock:
            self._write([fenced(text) if self._token is None else harmless(text)])

    def close(self) -> None:
        with self._lock:
            self._resume()
            self._write([command("endgroup")])

    def mask(self, value: str, shortest: int) -> None:
        """Mask the value from here on. An open fence is closed first: inside it, the command would be shown."""
        self.commands(masks(value, shortest))

    def commands(self, lines: Sequence[str]) -> None:
        """Write promoter's own commands, outside of any fence."""
        with self._lock:
            reopen = self._token is not None and bool(lines)
            if reopen:
                self._resume()
            self._write(lines)
            if reopen:
                self._stop()

    def _stop(self) -> None:
        self._token = new_token()
        self._write([stop(self._token)])

    def _resume(self) -> None:
        if self._token is not None:
            self._write([resume(self._token)])
            self._token = None

    def _write(self, lines: Sequence[str]) -> None:
        try:
            for line in lines:
                self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._stream = nowhere()
