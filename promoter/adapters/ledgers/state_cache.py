"""The state of a long ledger, cached in a small database beside the pipeline file and read row by row.

No decision relies on it: commands that change anything read the facts. A file that cannot be read, or that another
version of promoter wrote, is ignored.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from promoter.adapters.ledgers.state_codec import PARTS, Part, form, read, to_json
from promoter.ledger.chain import LedgerHead
from promoter.ledger.state import EnvironmentState, State
from promoter.ledger.table import PersistentTable

_TABLES = (
    "DROP TABLE IF EXISTS head",
    "DROP TABLE IF EXISTS rows",
    "CREATE TABLE head (form TEXT, seq INTEGER, digest TEXT, state TEXT)",
    "CREATE TABLE rows (section TEXT, key TEXT, value TEXT, position INTEGER PRIMARY KEY, UNIQUE (section, key))",
    "CREATE INDEX latest ON rows (section, position)",
)
_PAGE = 16


def _form() -> str:
    """Return the format version; a file with another one is created again."""
    return sha256("\n".join((form(), *_TABLES)).encode()).hexdigest()


class Projection:
    """A `StateCache` in `directory`, a file for each place of a ledger. `owned` is removed when it is closed."""

    def __init__(self, directory: Path, location: str, owned: "TemporaryDirectory[str] | None" = None) -> None:
        self._file = directory / f"projection-{sha256(location.encode()).hexdigest()[:12]}.db"
        self._connection: sqlite3.Connection | None = None
        self._head: LedgerHead | None = None
        self._owned = owned

    def load(self) -> State | None:
        if not self._file.exists():
            return None
        try:
            connection = self._open()
            if connection.in_transaction:
                connection.execute("COMMIT")
            connection.execute("BEGIN")  # later reads see the same snapshot
            state = _loaded(connection)
        except (sqlite3.Error, ValueError, TypeError, KeyError):
            self.forget()
            return None
        self._head = state.head if state else None
        return state

    def save(self, state: State) -> None:
        try:
            self._file.parent.mkdir(exist_ok=True)
            connection = self._open()
            if connection.in_transaction:
                connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            if self._head is None or _head(connection) == self._head:  # no other process has updated it
                _write(connection, state, whole=self._head is None)
                self._head = state.head
            connection.execute("COMMIT")
        except sqlite3.OperationalError:
            self.close()  # busy, disk full or no permission: keep the old content
        except (sqlite3.DatabaseError, OSError):
            self.forget()

    def scratch(self) -> Self:
        owned = TemporaryDirectory(prefix="promoter-")
        return type(self)(Path(owned.name), "rebuilt", owned)

    def same(self, other: Self) -> bool:
        """Compare both files row by row."""
        try:
            ours, theirs = self._open(), other._open()
            if _head(ours) != _head(theirs):
                return True
            return all(left == right for left, right in zip_longest(_rows(ours), _rows(theirs)))
        except sqlite3.Error:
            return False

    def forget(self) -> None:
        self.close()
        for part in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._file.with_name(self._file.name + part).unlink(missing_ok=True)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._head = None
        if self._owned is not None:
            self._owned.cleanup()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA journal_mode = {'WAL' if self._owned is None else 'OFF'}")
            self._connection.execute(f"PRAGMA synchronous = {'NORMAL' if self._owned is None else 'OFF'}")
        return self._connection


class _Rows:
    """`Rows` of one section, in the file."""

    def __init__(self, connection: sqlite3.Connection, section: str, value: Callable[[str], Any]) -> None:
        self._connection, self._section, self._value = connection, section, value

    def get(self, key: str) -> Any | None:
        row = self._connection.execute("SELECT value FROM rows WHERE section = ? AND key = ?", (self._section, key)).fetchone()
        return None if row is None else self._value(row[0])

    def backwards(self) -> Iterator[tuple[str, Any]]:
        """Yield rows page by page: most callers read only the first row."""
        query = "SELECT key, value, position FROM rows WHERE section = ? AND position < ? ORDER BY position DESC LIMIT ?"
        below, page = 2**62, _PAGE
        while rows := self._connection.execute(query, (self._section, below, page)).fetchall():
            yield from ((key, self._value(value)) for key, value, _ in rows)
            below, page = rows[-1][2], page * 4

    def starting_with(self, prefix: str) -> Iterator[tuple[str, Any]]:
        query = "SELECT key, value FROM rows WHERE section = ? AND key >= ? AND key < ? ORDER BY position"
        rows = self._connection.execute(query, (self._section, prefix, prefix + "\U0010ffff")).fetchall()
        return ((key, self._value(value)) for key, value in rows)


# ---------------------------------------------------------------- a state in rows
def _head(connection: sqlite3.Connection) -> LedgerHead | None:
    row = connection.execute("SELECT seq, digest FROM head").fetchone()
    return None if row is None else LedgerHead(*row)


def _loaded(connection: sqlite3.Connection) -> State | None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'head'").fetchone() is None:
        return None
    row = connection.execute("SELECT form, seq, digest, state FROM head").fetchone()
    if row is None or row[0] != _form():
        return None

    def tables(prefix: str) -> Callable[[Part], PersistentTable[Any]]:
        return lambda part: PersistentTable(_Rows(connection, prefix + part.name, part.value))

    document = json.loads(row[3])
    environments = {name: read(EnvironmentState, one, tables(f"{name}/")) for name, one in document["environments"].items()}
    return replace(read(State, document["state"], tables("")), head=LedgerHead(row[1], row[2]), environments=environments)


def _sections(state: State) -> Iterator[tuple[str, str, PersistentTable[Any], Part]]:
    """Yield each table: prefix, name, the table, and the type of its values."""
    for prefix, owner in (("", state), *((f"{name}/", entry) for name, entry in state.environments.items())):
        for part in PARTS[type(owner)]:
            if part.is_table:
                yield prefix, prefix + part.name, getattr(owner, part.name), part


def _write(connection: sqlite3.Connection, state: State, *, whole: bool) -> None:
    if whole:
        for statement in _TABLES:
            connection.execute(statement)
    for _, name, section, part in _sections(state):
        changes = section.changes if not whole else dict(section.items())
        gone = ((name, key) for key, value in changes.items() if value is None)
        connection.executemany("DELETE FROM rows WHERE section = ? AND key = ?", gone)
        put = ((name, key, part.text(value)) for key, value in changes.items() if value is not None)
        connection.executemany("INSERT OR REPLACE INTO rows (section, key, value) VALUES (?, ?, ?)", put)
    connection.execute("DELETE FROM head")
    connection.execute("INSERT INTO head VALUES (?, ?, ?, ?)", (_form(), state.head.seq, state.head.digest, _scalars(state)))


def _scalars(state: State) -> str:
    environments = {name: to_json(entry) for name, entry in state.environments.items()}
    return json.dumps({"state": to_json(state), "environments": environments}, sort_keys=True)


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    yield "", "", connection.execute("SELECT state FROM head").fetchone()[0]
    yield from connection.execute("SELECT section, key, value FROM rows ORDER BY section, position")
