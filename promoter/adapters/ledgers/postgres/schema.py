"""The tables that hold ledgers in PostgreSQL: how they are made and kept up to date, and what errors mean to people."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from promoter.model.errors import LedgerError

if TYPE_CHECKING:
    from psycopg import Connection

VERSION = 1
_LOCK = 7_021_960_125_003
"""An advisory lock's key: one process at a time makes or changes the tables."""
_FACTS = """CREATE TABLE promoter.facts (
    pipeline text, seq bigint, digest text NOT NULL, line bytea NOT NULL, PRIMARY KEY (pipeline, seq))"""
_LEASES = """CREATE TABLE promoter.leases (
    pipeline text, environment text, owner text, token bigint NOT NULL, since text NOT NULL, expires text NOT NULL,
    PRIMARY KEY (pipeline, environment))"""
_THERE = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'promoter' AND tablename = 'version'"
"""By the catalogue's rows: what a connection remembers of names may be older than the lock that it waited for."""
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE SCHEMA IF NOT EXISTS promoter",
        "CREATE TABLE promoter.version (number integer NOT NULL)",
        "INSERT INTO promoter.version VALUES (0)",
        _FACTS,
        _LEASES,
    ),
)
"""What leads from each version to the next. A step that was released is never changed."""


def version_of(connection: "Connection") -> int:
    """0 where nobody has made the tables. Raises LedgerError for those of a newer promoter."""
    if connection.execute(_THERE).fetchone() is None:
        return 0
    row = connection.execute("SELECT number FROM promoter.version").fetchone()
    number = int(row[0]) if row else 0
    if number > VERSION:
        raise LedgerError(
            f"the ledger was written by a newer promoter: its form is {number}, this version knows {VERSION}",
            hint="upgrade promoter on this machine; nothing was changed",
        )
    return number


def migrate(connection: "Connection") -> None:
    """Brings the tables up to date, alone and in one transaction. Does nothing where they are."""
    if version_of(connection) == VERSION:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for step in _STEPS[version_of(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute("UPDATE promoter.version SET number = %s", (VERSION,))


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Renames what the server and the way to it raise into LedgerError, with cause and remedy."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        _explain(error, where)


def _explain(error: Exception, where: str) -> NoReturn:
    import psycopg
    from psycopg import errors

    said = " ".join(str(error).split())[:400]
    if isinstance(error, errors.InsufficientPrivilege):
        raise LedgerError(
            f"the ledger {where} may not be used so: {said}",
            hint="its role needs CREATE on the database for the first write, then USAGE on the schema `promoter` "
            "and SELECT, INSERT and UPDATE on its tables",
        ) from error
    if isinstance(error, errors.ReadOnlySqlTransaction):
        raise LedgerError(
            f"the ledger {where} cannot be written: {said}",
            hint="this server is a standby: name the primary, or target_session_attrs=read-write",
        ) from error
    if isinstance(error, (errors.DiskFull, errors.OutOfMemory)):
        raise LedgerError(
            f"the ledger {where} cannot grow: {said}",
            hint="free some space on the server, then run the same command again",
            retryable=True,
        ) from error
    for words, cause, hint in _TELLING:
        if any(word in said for word in words):
            raise LedgerError(f"the ledger {where} {cause}: {said}", hint=hint) from error
    if isinstance(error, psycopg.OperationalError):
        raise LedgerError(
            f"the ledger {where} cannot be reached: {said}",
            hint="make sure that the server runs and that this machine reaches it, then run the same command again",
            retryable=True,
        ) from error
    raise LedgerError(f"the ledger {where} failed: {said}", hint="see the server's log") from error


_TELLING = (
    (("authentication failed", "no password supplied", "no pg_hba.conf entry"), "lets nobody in with these credentials",
     "set PGPASSWORD, a .pgpass file or a service file; never a password in the pipeline file"),
    (("does not exist",), "is not there", "make the database and the role (createdb, createuser), or mend the address"),
    (("certificate", "SSL", "sslmode", "root.crt"), "was not trusted",
     "see sslmode, sslrootcert and sslcert: PGSSLROOTCERT names the authority that signed the server's certificate"),
    (("invalid dsn", "invalid connection option", "invalid URI", 'missing "="'), "has an address that cannot be read",
     "write postgresql://USER@HOST:PORT/DATABASE"),
)  # fmt: skip
