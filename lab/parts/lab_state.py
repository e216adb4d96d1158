"""The directory of this checkout's lab, its recorded state, and the lock that lets only one `up` or `down` run at a time.

Outside the source tree, with a short name: the path of a unix socket may have 108 bytes at most.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parts.errors import LabError

CHECKOUT = Path(__file__).resolve().parents[2]


def directory() -> Path:
    """Return the state directory: PROMOTER_LAB_STATE, or one named after this checkout and this user."""
    if given := os.environ.get("PROMOTER_LAB_STATE"):
        return Path(given)
    return Path("/var/tmp") / f"promoter-lab-{_key(f'{CHECKOUT}|{os.getuid()}')}"  # noqa: S108 - made 0700 and checked below


def tag(state: Path) -> str:
    """Return eight hex digits that identify this lab on the machine: the names of its bridge and firewall rules contain them."""
    return _key(str(state))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def make(state: Path) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = state.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise LabError(f"{state} exists and is not yours: remove it, or set PROMOTER_LAB_STATE to another directory.")


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the lab's lock. `down` removes the directory with the lock in it, so check afterwards that it is the same file."""
    while True:
        make(state)
        try:
            handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if _same_file(handle, state / "lock"):
                yield
                return
        finally:
            os.close(handle)


@contextmanager
def machine_lock(program: str) -> Iterator[None]:
    """Lock what exists only once on the machine: all labs lock the program that changes it. This leaves no lock file."""
    handle = os.open(program, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def remember(state: Path, facts: dict[str, Any]) -> None:
    draft = state / "state.json.new"
    draft.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")
    draft.replace(state / "state.json")


def recall(state: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((state / "state.json").read_text())
    except FileNotFoundError:
        return {}
    return facts


def forget(state: Path) -> None:
    shutil.rmtree(state, ignore_errors=True)
