"""What this machine last saw of each ledger: a small file beside it, so that a ledger never goes back unnoticed.

It proves nothing to others, and whoever can write here can take it away; it catches an old copy put back, a tail cut
off, and a vote that somebody deleted.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from promoter.model.facts import Head

NAME = "witness.json"


class FileWitness:
    """`Witness` in `directory`, one entry a ledger. A file that cannot be written or read witnesses nothing."""

    def __init__(self, directory: Path, location: str) -> None:
        self._file, self._location = directory / NAME, location

    def seen(self) -> Head | None:
        entry = self._read().get(self._location)
        if not isinstance(entry, dict):
            return None
        seq, head = entry.get("seq"), entry.get("head")
        return Head(seq, head) if isinstance(seq, int) and isinstance(head, str) else None

    def note(self, head: Head) -> None:
        """Only ever forward: what another process saw meanwhile, of this ledger or of another, stays."""
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            with _alone(self._file.parent):
                seen, entries = self.seen(), self._read()
                if seen is None or seen.seq < head.seq:
                    entries[self._location] = {"seq": head.seq, "head": head.digest}
                    beside = self._file.with_name(f".{NAME}.{os.getpid()}")
                    beside.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                    beside.replace(self._file)

    def _read(self) -> dict[str, object]:
        try:
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One process at a time, where the system has such locks. The lock ends with the process."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    place = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)
