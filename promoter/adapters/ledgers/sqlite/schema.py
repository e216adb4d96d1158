"""The SQLite file of a ledger: creation, opening, detection, and error messages.

`store.py` reads and writes its rows.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from promoter.model.errors import LedgerError

VERSION = 1
_APPLICATION = 0x50524D54  # "PRMT", in the file's header: promoter does not write into other programs' databases
_TABLES = (
    "CREATE TABLE facts (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, line BLOB NOT NULL) STRICT",
    (
        "CREATE TABLE leases (environment TEXT PRIMARY KEY, owner TEXT, token INTEGER NOT NULL, since TEXT NOT NULL, "
        "expires TEXT NOT NULL) STRICT, WITHOUT ROWID"
    ),
    (
        "CREATE TRIGGER facts_follow BEFORE INSERT ON facts WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM facts) "
        "BEGIN SELECT RAISE(ABORT, 'a fact goes to the end of the ledger'); END"
    ),
    "CREATE TRIGGER facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END",
    "CREATE TRIGGER facts_last BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never removed'); END",
    (
        "CREATE TRIGGER tokens_grow BEFORE UPDATE ON leases WHEN NEW.token < OLD.token "
        "BEGIN SELECT RAISE(ABORT, 'a fencing token never shrinks'); END"
    ),
    "CREATE TRIGGER leases_stay BEFORE DELETE ON leases BEGIN SELECT RAISE(ABORT, 'a lease is given back, not removed'); END",
)
_schema_lock = threading.Lock()


def open_existing(path: Path, timeout: float) -> sqlite3.Connection | None:
    """Connect to the ledger at `path`; None if there is none yet. Create nothing."""
    if not path.exists():
        return None
    try:
        connection = _connect(path, "mode=rw", timeout)
        empty = _is_empty(connection, path)
    except sqlite3.OperationalError as error:
        # In a read-only directory SQLite cannot create its shared memory; without a left-over log it needs none.
        if _primary(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or _log_of(path).exists():
            raise
        connection = _connect(path, "immutable=1", timeout)
        empty = _is_empty(connection, path)
    if empty:
        connection.close()
        return None
    return connection


def open_for_writing(path: Path, timeout: float) -> sqlite3.Connection:
    """Connect to the ledger at `path`; create it and its directory if missing."""
    _make_file(path)
    connection = _connect(path, "mode=rw", timeout)
    try:
        if _is_empty(connection, path):
            _make_tables(connection, path, timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, options: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{options}", uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _make_file(path: Path) -> None:
    """Create the file, readable only for its owner. Under a lock: closing a file drops SQLite's locks in this process."""
    with _schema_lock:
        try:
            path.parent.mkdir(parents=True)
        except FileExistsError:
            pass
        else:
            if path.parent.name == ".promoter":
                (path.parent / ".gitignore").write_text("*\n")
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _is_empty(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file has no tables yet. Raise LedgerError for a foreign file or one of a newer version."""
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), "
        "(SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return True
    if application != _APPLICATION:
        raise LedgerError(
            f"{path} is an SQLite database, but not a ledger of promoter",
            hint="use another file with --ledger sqlite:PATH, or move this one away",
        )
    if version > VERSION:
        raise LedgerError(
            f"the ledger {path} was written by a newer promoter: its format is {version}, this version supports {VERSION}",
            hint="upgrade promoter on this machine; nothing was changed",
        )
    return False


def _make_tables(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    _set_journal(connection, timeout)
    with transaction(connection):
        if _is_empty(connection, path):
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={_APPLICATION}")
            connection.execute(f"PRAGMA user_version={VERSION}")


def _set_journal(connection: sqlite3.Connection, timeout: float) -> None:
    """Set the journal mode, with retries: SQLite does not wait if two processes set it at once."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a transaction as the only writer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into LedgerError, with cause and remedy."""
    try:
        yield
    except sqlite3.Error as error:
        _explain(error, path)
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be reached: {error.strerror or error}",
            hint="make its directory readable and writable for you, or use another file with --ledger sqlite:PATH",
        ) from error


def _explain(error: sqlite3.Error, path: Path) -> NoReturn:
    code = _primary(error)
    retryable = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    explanation = _EXPLANATIONS.get(code)
    if explanation is None:
        raise LedgerError(f"the ledger {path} failed: {error}", hint=_DAMAGED) from error
    cause, hint = explanation
    raise LedgerError(f"the ledger {path} {cause}: {error}", hint=hint, retryable=retryable) from error


_DAMAGED = "copy the file to a safe place, then run `promoter ledger verify`; restore a backup or an export"
_FORBIDDEN = "make the file and its directory writable for you, or use another file with --ledger sqlite:PATH"
_LOCKED = "another program keeps it locked: end that program, then run the same command again"
_EXPLANATIONS = {
    sqlite3.SQLITE_BUSY: ("stayed locked", _LOCKED),
    sqlite3.SQLITE_LOCKED: ("stayed locked", _LOCKED),
    sqlite3.SQLITE_FULL: (
        "cannot grow",
        "free some space on its disk, then run the same command again; nothing recorded was lost",
    ),
    sqlite3.SQLITE_IOERR: (
        "had a disk error",
        "check the disk, its free space and quotas, then run the same command again",
    ),
    sqlite3.SQLITE_READONLY: ("may not be written", _FORBIDDEN),
    sqlite3.SQLITE_PERM: ("may not be opened", _FORBIDDEN),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _FORBIDDEN),
    sqlite3.SQLITE_NOTADB: ("is not a ledger", "use another file with --ledger sqlite:PATH, or move this one away"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _DAMAGED),
}


def _primary(error: sqlite3.Error) -> int:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else code & 0xFF


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
