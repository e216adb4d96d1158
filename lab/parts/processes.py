"""Processes that outlive the command that started them, and their end: only what this lab started, never a reused pid."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from parts.errors import LabError


def start(argv: Sequence[str], *, pidfile: Path, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start detached, in a separate session, and record its identity."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, env=env, close_fds=True, cwd="/"
        )
    pidfile.write_text(f"{process.pid} {_birth(process.pid)}\n")
    return process.pid


def running(pidfile: Path) -> int | None:
    """Return the pid if the started process is still alive."""
    try:
        pid, birth = pidfile.read_text().split(maxsplit=1)
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if birth.strip() and _birth(int(pid)) == birth.strip() else None


def stop(pidfile: Path, *, grace: float) -> None:
    """Send SIGTERM, then SIGKILL after the grace period."""
    if (pid := running(pidfile)) is not None:
        for sign, timeout in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                break
            if until(lambda: running(pidfile) is None, timeout):
                break
        else:
            raise LabError(f"process {pid} does not end; its pid file is {pidfile}.")
    pidfile.unlink(missing_ok=True)


def until(true: Callable[[], bool], deadline: float, *, every: float = 0.02) -> bool:
    end = time.monotonic() + deadline
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def await_ready(ready: Callable[[], bool], *, pidfile: Path, log: Path, what: str, deadline: float) -> None:
    """Wait until it answers; raise an error with its last log lines if it ends or does not answer."""
    until(lambda: ready() or running(pidfile) is None, deadline)
    if not ready():
        state = "ended at once" if running(pidfile) is None else f"did not answer within {deadline:.0f} s"
        raise LabError(f"{what} {state}. Its last log lines ({log}):\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    try:
        return "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-lines:]) or "  (it logged nothing)"
    except FileNotFoundError:
        return "  (no log)"


def _birth(pid: int) -> str:
    """Return boot and start time of a process; empty if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if fields[0] in "ZX":
        return ""
    return f"{fields[19]}@{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
