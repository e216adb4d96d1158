"""The PostgreSQL tables of ledgers: creation, migration, and error messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from promoter.model.errors import LedgerError

if TYPE_CHECKING:
    from psycopg import Connection

VERSION = 1
_LOCK = 7_021_960_125_003
"""The key of the advisory lock: one process at a time creates or changes the tables."""
_FACTS = """CREATE TABLE promoter.facts (
    pipeline text, seq bigint, digest text NOT NULL, line bytea NOT NULL, PRIMARY KEY (pipeline, seq))"""
_LEASES = """CREATE TABLE promoter.leases (
    pipeline text, environment text, owner text, token bigint NOT NULL, since text NOT NULL, expires text NOT NULL,
    PRIMARY KEY (pipeline, environment))"""
_THERE = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'promoter' AND tablename = 'version'"
"""Reads the rows of the catalogue: table names that a connection has cached may be older than the lock that it waited for."""
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE SCHEMA IF NOT EXISTS promoter",
        "CREATE TABLE promoter.version (number integer NOT NULL)",
        "INSERT INTO promoter.version VALUES (0)",
        _FACTS,
        _LEASES,
    ),
)
"""The migrations, one for each version. A released migration is never changed."""


def version_of(connection: "Connection") -> int:
    """Return the schema version, 0 without tables. Raise LedgerError for tables of a newer promoter."""
    if connection.execute(_THERE).fetchone() is None:
        return 0
    row = connection.execute("SELECT number FROM promoter.version").fetchone()
    number = int(row[0]) if row else 0
    if number > VERSION:
        raise LedgerError(
            f"the ledger was written by a newer promoter: its format is {number}, this version supports {VERSION}",
            hint="upgrade promoter on this machine; nothing was changed",
        )
    return number


def migrate(connection: "Connection") -> None:
    """Migrate the tables in one transaction, under a lock. Do nothing if they are up to date."""
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
    """Turn errors of the server and the connection into LedgerError, with cause and remedy."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        _explain(error, where)


def _explain(error: Exception, where: str) -> NoReturn:
    import psycopg
    from psycopg import errors

    message = " ".join(str(error).split())[:400]
    if isinstance(error, errors.InsufficientPrivilege):
        raise LedgerError(
            f"the ledger {where} refuses access: {message}",
            hint="its role needs CREATE on the database for the first write, then USAGE on the schema `promoter` "
            "and SELECT, INSERT and UPDATE on its tables",
        ) from error
    if isinstance(error, errors.ReadOnlySqlTransaction):
        raise LedgerError(
            f"the ledger {where} cannot be written: {message}",
            hint="this server is a standby: use the primary, or target_session_attrs=read-write",
        ) from error
    if isinstance(error, (errors.DiskFull, errors.OutOfMemory)):
        raise LedgerError(
            f"the ledger {where} cannot grow: {message}",
            hint="free some space on the server, then run the same command again",
            retryable=True,
        ) from error
    for words, cause, hint in _EXPLANATIONS:
        if any(word in message for word in words):
            raise LedgerError(f"the ledger {where} {cause}: {message}", hint=hint) from error
    if isinstance(error, psycopg.OperationalError):
        raise LedgerError(
            f"the ledger {where} cannot be reached: {message}",
            hint="make sure that the server runs and that this machine can reach it, then run the same command again",
            retryable=True,
        ) from error
    raise LedgerError(f"the ledger {where} failed: {message}", hint="see the server's log") from error


_EXPLANATIONS = (
    (
        ("authentication failed", "no password supplied", "no pg_hba.conf entry"),
        "does not accept these credentials",
        "set PGPASSWORD, a .pgpass file or a service file; never a password in the pipeline file",
    ),
    (("does not exist",), "does not exist", "create the database and the role (createdb, createuser), or fix the address"),
    (
        ("certificate", "SSL", "sslmode", "root.crt"),
        "was not trusted",
        "see sslmode, sslrootcert and sslcert: PGSSLROOTCERT names the authority that signed the server's certificate",
    ),
    (
        ("invalid dsn", "invalid connection option", "invalid URI", 'missing "="'),
        "has an address that cannot be read",
        "write postgresql://USER@HOST:PORT/DATABASE",
    ),
)
