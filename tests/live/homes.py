"""Working directories that share one ledger: plain directories, or separate checkouts if the ledger is in Git."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KINDS = ("sqlite", "git", "postgres")


@dataclass(frozen=True)
class Home:
    """`ledger` is its address in each of `directories`."""

    ledger: str
    directories: tuple[Path, ...]


def made(kind: str, directory: Path, names: tuple[str, ...], database: Callable[[], str]) -> Home:
    """Return a ledger of this kind in `directory`. `database` returns the address of an empty PostgreSQL database."""
    directories = tuple(directory / name for name in names)
    if kind == "git":
        subprocess.run(["git", "init", "--bare", "-q", "origin.git"], cwd=directory, check=True, capture_output=True)
        for name in names:
            subprocess.run(["git", "clone", "-q", "origin.git", name], cwd=directory, check=True, capture_output=True)
        return Home("git:promoter-ledger", directories)
    for path in directories:
        path.mkdir()
    return Home(f"sqlite:{directory / 'facts.db'}" if kind == "sqlite" else database(), directories)
