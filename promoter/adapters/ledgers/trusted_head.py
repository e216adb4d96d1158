"""The trusted head: the last state of each ledger that this machine has seen, in a small file, to detect a rollback.

It proves nothing to others, and a user with write access can delete it. It detects a restored old copy, missing last
facts and a deleted vote.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from promoter.ledger.chain import LedgerHead

NAME = "witness.json"
_POLICY = "policy"


class FileWitness:
    """A `TrustedHead` in `directory`. A file that cannot be written or read is ignored.

    A ledger has two entries: by its location as written, and by its chain, the digest of its first fact. So a copy at
    another location is recognised, and a location that holds another ledger now is noticed.
    """

    def __init__(self, directory: Path, location: str) -> None:
        self._file, self._location = directory / NAME, location

    def seen(self) -> LedgerHead | None:
        return self.entries().get(self._location)

    def entries(self) -> dict[str, LedgerHead]:
        return _heads(self._read())

    def policy_ref(self) -> str | None:
        entry = self._read().get(_POLICY)
        ref = entry.get("ref") if isinstance(entry, dict) else None
        return ref if isinstance(ref, str) else None

    def note(self, head: LedgerHead, chain: str | None = None, policy_ref: str | None = None) -> None:
        """Move the head forward only: entries that another process wrote meanwhile are kept.

        The policy's ref is removed only when the ledger that set it removes it.
        """
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            with _alone(self._file.parent):
                before = self._read()
                seen, entries = _heads(before), dict(before)
                names = [name for name in (self._location, chain) if name and (name not in seen or seen[name].seq < head.seq)]
                entries |= {name: {"seq": head.seq, "head": head.digest} for name in names}
                if names and policy_ref is not None:
                    entries[_POLICY] = {"ref": policy_ref, "chain": chain}
                elif names and _of_chain(entries.get(_POLICY), chain):
                    del entries[_POLICY]
                if entries != before:
                    temporary = self._file.with_name(f".{NAME}.{os.getpid()}")
                    temporary.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                    temporary.replace(self._file)

    def _read(self) -> dict[str, object]:
        try:
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}


def _heads(entries: dict[str, object]) -> dict[str, LedgerHead]:
    found = {}
    for name, entry in entries.items():
        seq, head = (entry.get("seq"), entry.get("head")) if isinstance(entry, dict) else (None, None)
        if isinstance(seq, int) and isinstance(head, str):
            found[name] = LedgerHead(seq, head)
    return found


def _of_chain(entry: object, chain: str | None) -> bool:
    return isinstance(entry, dict) and entry.get("chain") == chain


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold a lock for one process at a time, if the system supports it. The lock ends with the process."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
