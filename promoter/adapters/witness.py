"""What this machine last saw of each ledger: a small file beside it, so that a ledger never goes back unnoticed.

It proves nothing to others, and whoever can write here can take it away; it catches an old copy put back, a tail cut
off, and a vote that somebody deleted.
"""

import json
import os
from contextlib import suppress
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
        entries = {**self._read(), self._location: {"seq": head.seq, "head": head.digest}}
        beside = self._file.with_name(f".{NAME}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            beside.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            beside.replace(self._file)

    def _read(self) -> dict[str, object]:
        try:
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}
