"""Places to promote from that share one ledger: directories, or checkouts of their own where it is in Git."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KINDS = ("sqlite", "git", "postgres")


@dataclass(frozen=True)
class Home:
    """`ledger` as every one of `places` writes it."""

    ledger: str
    places: tuple[Path, ...]


def made(kind: str, directory: Path, names: tuple[str, ...], database: Callable[[], str]) -> Home:
    """In `room`. `database` is the address of an empty one in PostgreSQL, asked for where it is needed."""
    places = tuple(directory / name for name in names)
    if kind == "git":
        subprocess.run(["git", "init", "--bare", "-q", "origin.git"], cwd=directory, check=True, capture_output=True)
        for name in names:
            subprocess.run(["git", "clone", "-q", "origin.git", name], cwd=directory, check=True, capture_output=True)
        return Home("git:promoter-ledger", places)
    for place in places:
        place.mkdir()
    return Home(f"sqlite:{directory / 'facts.db'}" if kind == "sqlite" else database(), places)
