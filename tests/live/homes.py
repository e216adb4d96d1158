"""Places to promote from that share one ledger: directories, or checkouts of their own where it is in Git."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KINDS = ("sqlite", "git", "postgres")


@dataclass(frozen=True)
class Home:
    """`ledger` as every one of `directories` writes it."""

    ledger: str
    directories: tuple[Path, ...]


def made(kind: str, directory: Path, names: tuple[str, ...], database: Callable[[], str]) -> Home:
    """In `directory`. `database` is the address of an empty one in PostgreSQL, asked for where it is needed."""
    directories = tuple(directory / name for name in names)
    if kind == "git":
        subprocess.run(["git", "init", "--bare", "-q", "origin.git"], cwd=directory, check=True, capture_output=True)
        for name in names:
            subprocess.run(["git", "clone", "-q", "origin.git", name], cwd=directory, check=True, capture_output=True)
        return Home("git:promoter-ledger", directories)
    for path in directories:
        path.mkdir()
    return Home(f"sqlite:{directory / 'facts.db'}" if kind == "sqlite" else database(), directories)
