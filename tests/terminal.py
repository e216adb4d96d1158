"""A program on a real pseudo-terminal: wait for its output, send what a person types."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

TIMEOUT = 30.0
READS = (["0", "0x0"], ["63", "0x0"])
"""read(0, …) in the format of /proc/PID/syscall, on amd64 and on arm64."""
_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][A-Z0-9]?|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """`shown` is all output so far, without colours and cursor movements."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._own, theirs = pty.openpty()
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={"TERM": "xterm", **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 -- only system calls, and none of Python's locks
        )
        os.close(theirs)
        self._text, self._seen = "", 0

    @property
    def shown(self) -> str:
        return _MOVES.sub("", self._text)

    def expect(self, words: str) -> str:
        """Wait until the words are in the output after those of the last wait. Return the output from there on."""
        deadline = time.monotonic() + TIMEOUT
        while (at := self.shown.find(words, self._seen)) < 0:
            assert self._read(deadline), f"{words!r} is not shown:\n{self.shown}"
        self._seen = at + len(words)
        return self.shown[at:]

    def send(self, text: str) -> None:
        os.write(self._own, text.encode())

    def until_it_reads(self) -> None:
        """Wait until the program reads its standard input. If Ctrl-C arrives a moment before, Python notices it only with the
        next key, which a person presses and a test does not."""
        syscall, deadline = Path(f"/proc/{self._process.pid}/syscall"), time.monotonic() + TIMEOUT
        while syscall.read_text().split()[:2] not in READS:
            assert time.monotonic() < deadline, f"nothing is asked:\n{self.shown}"
            os.sched_yield()

    def end(self) -> int:
        """Wait for the end of the program and return its exit code."""
        deadline = time.monotonic() + TIMEOUT
        while self._read(deadline):
            pass
        return self._process.wait(TIMEOUT)

    def hang_up(self) -> int:
        """Close the terminal while the program runs, wait for its end, and return its exit code."""
        os.close(self._own)
        self._own = os.open(os.devnull, os.O_RDWR)
        return self._process.wait(2 * TIMEOUT)

    def _read(self, deadline: float) -> bool:
        """Read more output. Return False at the end of the terminal or at the deadline."""
        ready, _, _ = select.select([self._own], [], [], max(0.0, deadline - time.monotonic()))
        data = b""
        with suppress(OSError):  # Linux reports this when the other side is closed
            data = os.read(self._own, 65536) if ready else b""
        self._text += data.decode(errors="replace")
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)


def _take_terminal() -> None:
    """Make the terminal the controlling one: Ctrl-C goes to its processes. Reset SIGINT, which background test runs ignore."""
    import fcntl
    import signal
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
