"""Whether a ledger can be written from here, found out without writing: for whoever looks before the first fact."""

import sqlite3
import tempfile
from pathlib import Path

from promoter.adapters.ledgers.open import DEFAULT, open_ledger
from promoter.adapters.ledgers.sqlite.schema import explained, open_existing
from promoter.config.regular_file import home_of
from promoter.model.errors import LedgerError

_PATIENCE = 2.0
_SECONDS = 8.0
_GRANTED = """SELECT pg_is_in_recovery(), current_setting('transaction_read_only'),
    CASE WHEN to_regclass('promoter.facts') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_table_privilege('promoter.facts', 'INSERT') AND has_table_privilege('promoter.leases', 'INSERT')
    AND has_table_privilege('promoter.leases', 'UPDATE') END"""


def try_to_write(url: str | None, directory: Path, pipeline: str) -> str | None:
    """How it was tried; None where this home knows no way to. Raises LedgerError where it cannot be written."""
    url = url or DEFAULT
    match url.partition(":")[0]:
        case "sqlite":
            return _sqlite((directory / home_of(url.partition(":")[2])).absolute())
        case "git":
            return _git(url, directory)
        case "postgres" | "postgresql":
            return _postgres(url, directory, pipeline)
    return None


def _sqlite(path: Path) -> str:
    """A transaction is begun and given up; where there is no file yet, its directory takes one that has no name."""
    with explained(path):
        connection = open_existing(path, _PATIENCE)
        if connection is None:
            with tempfile.TemporaryFile(dir=_existing(path.parent)):
                return "its directory can be written"
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return "another run writes it just now"
        finally:
            connection.close()
    return "a transaction was begun and given up"


def _git(url: str, directory: Path) -> str | None:
    """The push of what is there already, which the server judges as any push, and carries nothing."""
    from promoter.adapters.git.command import Git
    from promoter.adapters.ledgers.git.errors import explain
    from promoter.adapters.ledgers.git.location import find, shown

    git = Git()
    place = find(git, directory, url)
    if place.remote is None or not place.directory.exists():
        return None
    tip = git.run(place.directory, ("rev-parse", "--verify", "--quiet", f"{place.tip}^{{commit}}")).line
    what = tip or git.run(place.directory, ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")).line
    if what is None:
        return None
    answer = git.run(
        place.directory, ("push", "--dry-run", "--no-verify", "--", place.remote, f"{what}:{place.ref}"), timeout=_SECONDS
    )
    if answer.code != 0:
        raise explain(shown(url), answer.error)
    return "a push was tried that carries nothing; rules for the branch are not seen by that"


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
        raise LedgerError(f"the ledger {location} is a standby, which takes no facts", hint="name the primary server")
    if read_only == "on":
        raise LedgerError(
            f"the ledger {location} is read-only for this user", hint="let the user write: default_transaction_read_only"
        )
    if not granted:
        raise LedgerError(
            f"the ledger {location} may not be written by this user", hint="grant INSERT and UPDATE in the schema promoter"
        )
    return "the user's rights were asked for"


def _existing(directory: Path) -> Path:
    """The nearest part of the path that is there; where it is no directory, nothing can be written below it."""
    return next(place for place in (directory, *directory.parents) if place.exists())
