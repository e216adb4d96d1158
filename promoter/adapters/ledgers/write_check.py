"""Check whether a ledger is writable, without writing a fact."""

import sqlite3
import tempfile
from pathlib import Path

from promoter.adapters.ledgers.open import DEFAULT, open_ledger
from promoter.adapters.ledgers.sqlite.schema import explained, open_existing
from promoter.config.regular_file import home_of
from promoter.model.errors import LedgerError

_TIMEOUT = 2.0
_SECONDS = 8.0
_GRANTED = """SELECT pg_is_in_recovery(), current_setting('transaction_read_only'),
    CASE WHEN to_regclass('promoter.facts') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_table_privilege('promoter.facts', 'INSERT') AND has_table_privilege('promoter.leases', 'INSERT')
    AND has_table_privilege('promoter.leases', 'UPDATE') END"""


def try_to_write(url: str | None, directory: Path, pipeline: str, token: str | None = None) -> str | None:
    """Return how it was checked; None if this store has no check. Raise LedgerError if it is not writable.

    `token` is the setting `ledger_token`.
    """
    url = url or DEFAULT
    match url.partition(":")[0]:
        case "sqlite":
            return _sqlite((directory / home_of(url.partition(":")[2])).absolute())
        case "git":
            return _git(url, directory, token)
        case "postgres" | "postgresql":
            return _postgres(url, directory, pipeline)
    return None


def _sqlite(path: Path) -> str:
    """Start and roll back a transaction; if there is no file yet, create an unnamed one in its directory."""
    with explained(path):
        connection = open_existing(path, _TIMEOUT)
        if connection is None:
            with tempfile.TemporaryFile(dir=_existing(path.parent)):
                return "its directory is writable"
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return "another run is writing to it"
        finally:
            connection.close()
    return "a transaction was started and rolled back"


def _git(url: str, directory: Path, token: str | None) -> str | None:
    """Push the existing commit: the server checks permissions as for any push, and nothing changes."""
    from promoter.adapters.git.command import Git
    from promoter.adapters.ledgers.git.errors import explain
    from promoter.adapters.ledgers.git.location import find, shown
    from promoter.adapters.ledgers.git.token import login

    git = Git()
    target = find(git, directory, url)
    if target.remote is None or not target.directory.exists():
        return None
    tip = git.run(target.directory, ("rev-parse", "--verify", "--quiet", f"{target.tip}^{{commit}}")).line
    what = tip or git.run(target.directory, ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")).line
    if what is None:
        return None
    answer = git.run(
        target.directory,
        ("push", "--dry-run", "--no-verify", "--", target.remote, f"{what}:{target.ref}"),
        timeout=_SECONDS,
        more=login(git, target.directory, target.remote, token),
    )
    if answer.code != 0:
        raise explain(shown(url), answer.error)
    return "an empty push was tried; it does not check rules for the branch"


def _postgres(url: str, directory: Path, pipeline: str) -> str:
    from psycopg import connect
    from psycopg.conninfo import make_conninfo

    from promoter.adapters.ledgers.postgres.schema import explained as renamed

    location = open_ledger(url, directory, pipeline).location
    with renamed(location), connect(make_conninfo(url, connect_timeout=int(_SECONDS))) as connection:
        row = connection.execute(_GRANTED).fetchone()
    assert row is not None
    standby, read_only, granted = row
    if standby:
        raise LedgerError(f"the ledger {location} is a standby, which is read-only", hint="use the primary server")
    if read_only == "on":
        raise LedgerError(
            f"the ledger {location} is read-only for this user", hint="allow the user to write: default_transaction_read_only"
        )
    if not granted:
        raise LedgerError(
            f"the ledger {location} may not be written by this user", hint="grant INSERT and UPDATE in the schema promoter"
        )
    return "checked the user's privileges"


def _existing(directory: Path) -> Path:
    """Return the nearest existing part of the path; if it is not a directory, nothing can be written below it."""
    return next(parent for parent in (directory, *directory.parents) if parent.exists())
