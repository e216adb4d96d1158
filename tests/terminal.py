"""A program on a real pseudo-terminal: what it writes is waited for, what a person types is sent."""

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
"""read(0, …) as /proc/PID/syscall has it, on amd64 and on arm64."""
_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][A-Z0-9]?|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """`shown` is all that was written so far, without colours and moves of the cursor."""

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
            preexec_fn=_take_terminal,  # noqa: PLW1509 -- calls of the system, and none of Python's locks
        )
        os.close(theirs)
        self._text, self._seen = "", 0

    @property
    def shown(self) -> str:
        return _MOVES.sub("", self._text)

    def expect(self, words: str) -> str:
        """Waits until the words stand there, after those that were waited for before; gives what stands from there on."""
        deadline = time.monotonic() + TIMEOUT
        while (at := self.shown.find(words, self._seen)) < 0:
            assert self._read(deadline), f"{words!r} is not shown:\n{self.shown}"
        self._seen = at + len(words)
        return self.shown[at:]

    def send(self, text: str) -> None:
        os.write(self._own, text.encode())

    def until_it_reads(self) -> None:
        """Waits until the program waits for its standard input. Ctrl-C a moment before is noticed by Python only with the next
        key, which a person presses and a test does not."""
        syscall, deadline = Path(f"/proc/{self._process.pid}/syscall"), time.monotonic() + TIMEOUT
        while syscall.read_text().split()[:2] not in READS:
            assert time.monotonic() < deadline, f"nothing is asked:\n{self.shown}"
            os.sched_yield()

    def end(self) -> int:
        """Waits for the end of the program and gives its exit code."""
        deadline = time.monotonic() + TIMEOUT
        while self._read(deadline):
            pass
        return self._process.wait(TIMEOUT)

    def hang_up(self) -> int:
        """Closes the terminal under the program, waits for its end, and gives its exit code."""
        os.close(self._own)
        self._own = os.open(os.devnull, os.O_RDWR)
        return self._process.wait(2 * TIMEOUT)

    def _read(self, deadline: float) -> bool:
        """False at the end of the terminal, or of patience."""
        ready, _, _ = select.select([self._own], [], [], max(0.0, deadline - time.monotonic()))
        data = b""
        with suppress(OSError):  # how Linux says that nobody has the other side any more
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
    """Ctrl-C goes to whom a terminal belongs. A run of the tests in the background ignores it, and so would what it starts."""
    import fcntl
    import signal
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
