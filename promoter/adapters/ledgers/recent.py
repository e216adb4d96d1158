"""The last facts of a ledger, newest first, for shell completion.

Fast, read-only and unchecked. A branch in Git is read as it was last fetched. Decisions never use this: they read a
`Ledger`.
"""

import json
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from promoter.adapters.ledgers.open import DEFAULT
from promoter.config.regular_file import home_of

MOST = 2000
"""The number of facts that are read."""
_TIMEOUT = 2
"""Seconds for a server to take a connection."""


def glance(url: str | None, directory: Path, pipeline: str) -> list[dict[str, Any]]:
    """Return the last facts. Raise any error; callers ignore it."""
    url = url or DEFAULT
    scheme = url.partition(":")[0]
    reader = {"sqlite": _sqlite, "git": _git, "postgresql": _postgres, "postgres": _postgres}.get(scheme)
    return [] if reader is None else [json.loads(line) for line in reader(url, directory, pipeline)]


def _sqlite(url: str, directory: Path, _: str) -> Iterable[bytes]:
    """Read without creating files: without a write-ahead log none are needed; with one they exist already."""
    path = (directory / home_of(url.partition(":")[2])).absolute()
    log = path.with_name(f"{path.name}-wal")
    way = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{way}", uri=True, timeout=_TIMEOUT)
    try:
        rows = connection.execute("SELECT line FROM facts ORDER BY seq DESC LIMIT ?", (MOST,)).fetchall()
    finally:
        connection.close()
    return [bytes(row[0]) for row in rows]


def _git(url: str, directory: Path, pipeline: str) -> Iterable[bytes]:
    from promoter.adapters.git.command import Git
    from promoter.adapters.ledgers.git.location import find
    from promoter.adapters.ledgers.git.remote import Wire
    from promoter.adapters.ledgers.git.tree import Tree

    git = Git({**os.environ, "GIT_NO_LAZY_FETCH": "1"})
    wire = Wire(git, find(git, directory, url))
    tip = wire.git("rev-parse", "--verify", "--quiet", f"{wire.target.tip}^{{commit}}").line
    if tip is None:
        return []
    tree = Tree(wire, pipeline)
    return reversed([line for _, _, line in tree.rows(tip, max(0, tree.head(tip).seq - MOST))])


def _postgres(url: str, _: Path, pipeline: str) -> Iterable[bytes]:
    import psycopg
    from psycopg.conninfo import make_conninfo

    query = "SELECT line FROM promoter.facts WHERE pipeline = %s ORDER BY seq DESC LIMIT %s"
    with psycopg.connect(make_conninfo(url, connect_timeout=_TIMEOUT)) as connection:
        return [bytes(row[0]) for row in connection.execute(query, (pipeline, MOST)).fetchall()]
