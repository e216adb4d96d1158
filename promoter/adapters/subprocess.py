"""Run a child process with a timeout, in its own session; end it with everything that it started.

Never uses a shell.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from promoter.model.dataclass import dataclass

_OWN = "PYDANTIC_DISABLE_PLUGINS"
"""Set by `promoter.__main__` for its own process only."""

NOT_FOUND, NOT_RUNNABLE = 127, 126
_POLL_INTERVAL = 0.1
"""Seconds between two looks at whether the run is being interrupted."""
_LINGER = 0.5
"""Seconds that what a child leaves behind may go on writing after the child has ended."""


@dataclass(frozen=True)
class ChildResult:
    """How a child ended. `exit_code` None: its time was over; 128 and more: by a signal, as a shell counts."""

    exit_code: int | None
    output: bytes
    errors: bytes
    seconds: float


def run(
    argv: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    timeout: float,
    *,
    separate: bool = False,
    keep: int,
    check: Callable[[], None] = lambda: None,
) -> ChildResult:
    """Run `argv` in `directory`, with `environment` added to our own, and keep the last `keep` bytes of its output.

    Both streams are kept together, unless `separate`. `check` may raise; the child is then ended too.
    """
    started = time.monotonic()
    try:
        process = _start(argv, directory, environment, subprocess.PIPE if separate else subprocess.STDOUT)
    except (OSError, ValueError) as error:
        refused, sentence = _refusal(argv, directory, error)
        return ChildResult(refused, b"" if separate else sentence.encode(), sentence.encode(), time.monotonic() - started)
    tails = [_Tail(stream, keep) for stream in (process.stdout, process.stderr) if stream is not None]
    try:
        code = _wait(process, started + timeout, check)
    finally:
        if process.poll() is None:
            _end_group(process)
            process.wait()
    if not all(tail.wait(_LINGER) for tail in tails):  # a process of the group still holds the pipe, so its id is not reused
        _end_group(process)
        for tail in tails:
            tail.wait(_LINGER)
    seconds = time.monotonic() - started
    return ChildResult(code, tails[0].read(), tails[1].read() if separate else b"", seconds)


def end_session(process: "subprocess.Popen[Any]", grace: float) -> None:
    """Terminate a child and everything in its session, so that no lock file is left; kill the rest after `grace` seconds.

    Leaves a child alone that has ended: its number may belong to another process by now.
    """
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    process.wait()


def _start(argv: Sequence[str], directory: Path, environment: Mapping[str, str], errors: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv,
        cwd=directory,
        env={**{name: value for name, value in os.environ.items() if name != _OWN}, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )


def _wait(process: "subprocess.Popen[bytes]", deadline: float, check: Callable[[], None]) -> int | None:
    while (left := deadline - time.monotonic()) > 0:
        check()
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(min(left, _POLL_INTERVAL))
            return code if code >= 0 else 128 - code
    return None


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _refusal(argv: Sequence[str], directory: Path, error: OSError | ValueError) -> tuple[int, str]:
    program = argv[0] if argv else ""
    if not directory.is_dir():
        return NOT_RUNNABLE, f"{program} cannot run in {directory}: there is no such directory"
    if isinstance(error, FileNotFoundError):
        return NOT_FOUND, f"{program} was not found: install it, or write its path relative to the pipeline file (./{program})"
    if isinstance(error, PermissionError):
        return NOT_RUNNABLE, f"{program} may not be run: make it executable (chmod +x)"
    if isinstance(error, OSError) and error.strerror == "Exec format error":
        return NOT_RUNNABLE, f"{program} is not a program: a script begins with a line such as #!/bin/sh"
    return NOT_RUNNABLE, f"{program} cannot be run: {error}"


class _Tail:
    """Reads a stream to its end in a thread of its own and keeps the last bytes."""

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self._stream, self._keep, self._bytes = stream, keep, bytearray()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with suppress(ValueError, OSError), self._stream as stream:
            assert isinstance(stream, BufferedReader)
            while piece := stream.read1(65536):
                with self._lock:
                    self._bytes += piece
                    del self._bytes[: -self._keep]

    def wait(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def read(self) -> bytes:
        with self._lock:
            return bytes(self._bytes)
