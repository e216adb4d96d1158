"""Reads an OpenSSH allowed_signers file for the names in it: who may sign. Checking signatures is not done here."""

from pathlib import Path

from promoter.document.positions import Position, complain
from promoter.model.errors import Complaint

WILD = "*?!"


def read_signers(path: Path, shown: str) -> tuple[tuple[str, ...], list[Complaint]]:
    """Principals in the order of the file, each once, and what is wrong with them. Raises OSError."""
    text = path.read_bytes().decode("utf-8", "replace")
    names: dict[str, None] = {}
    faults = []
    for number, line in enumerate(text.split("\n"), 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        at = Position(number, len(line) - len(line.lstrip()) + 1)
        quoted = entry.startswith('"')
        principals, rest = entry[1:].partition('"')[::2] if quoted else entry.partition(" ")[::2]
        if not rest.strip():
            faults.append(complain(shown, text, at, "this line names no key", "write: PRINCIPAL ssh-ed25519 KEY"))
        for name in principals.split(","):
            if any(sign in name for sign in WILD):
                message = f"{name!r} is a pattern; people are counted, so each must be named"
                faults.append(complain(shown, text, at, message, "write one line for every person"))
            elif name:
                names[name] = None
    return tuple(names), faults
