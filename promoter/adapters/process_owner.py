"""The owner of a lease, as text for people, and whether its process has ended.

That is known only on the machine of the process. The text holds a mark of the machine's boot and of the PID
namespace, so that two containers, or a machine before and after a restart, are never confused.
"""

import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from promoter.model.pattern import pattern

_WORDS = pattern(r"on \S+ \((?P<mark>[0-9a-f]{8})\), process (?P<process>\d+) begun at (?P<begun>\d+)")


def lease_owner(actor: str, environ: Mapping[str, str]) -> str:
    """Return the person, the host, the process, and the CI run if there is one."""
    words = f"{actor} on {socket.gethostname()} ({_mark()}), process {os.getpid()} begun at {_start_ticks(os.getpid())}"
    url = environ.get("CI_JOB_URL") or run_url(environ)
    return f"{words}, {url}" if url else words


def run_url(environ: Mapping[str, str]) -> str | None:
    """Return the page of this job's CI run, the same for all its jobs and attempts; None outside of CI."""
    if environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return environ.get("CI_PIPELINE_URL") or environ.get("CI_JOB_URL") or environ.get("BUILD_URL") or None


def is_gone(owner: str) -> bool:
    """Return True only if the process ran here and has ended; False if that is unknown."""
    found = _WORDS.search(owner)
    return found is not None and found["mark"] == _mark() and _start_ticks(int(found["process"])) != int(found["begun"])


def _mark() -> str:
    try:
        mark = Path("/proc/sys/kernel/random/boot_id").read_text().strip() + str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no /proc: a mark that fits nothing but this very process
        mark = f"{os.getpid()} {id(_WORDS)}"
    return hashlib.sha256(mark.encode()).hexdigest()[:8]


def _start_ticks(process: int) -> int:
    """When a process began, in clock ticks since the machine's start; 0 when there is no such process."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])
