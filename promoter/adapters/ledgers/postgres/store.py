"""The ledger in a PostgreSQL database, for teams: one chain a pipeline, any number of pipelines and machines.

Each change is one transaction that is on the server's disk before it is answered. A broken connection is opened
again. An append whose answer was lost is looked up, and never written twice. Nothing is created before the first write.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from promoter.adapters.ledgers.common import facts_of, lost, moved, taken
from promoter.adapters.ledgers.postgres.schema import explained, migrate, version_of
from promoter.adapters.retry import Retry
from promoter.ledger.chain import Fact, FactDraft, LedgerHead, seal
from promoter.ledger.store import Gone, Lease, LeaseInfo, never_gone
from promoter.model.errors import HeadMoved, LeaseLost
from promoter.model.timestamps import read_stamp, stamp

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")
_PAGE = 1000
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "application_name": "promoter",
}


class PostgresLedger:
    """A `Ledger`. `url` is anything that libpq reads; defaults come from PG* variables, services and .pgpass."""

    def __init__(self, url: str, pipeline: str, retry: Retry | None = None) -> None:
        self._url, self._pipeline = url, pipeline
        self._retry = retry or Retry(attempts=8)
        self.location = f"{without_password(url)} ({pipeline})"
        self._lock = threading.RLock()
        self._connection: Connection[tuple[Any, ...]] | None = None
        self._migrated = False

    def read(self, after: int = 0) -> Iterator[Fact]:
        return facts_of(self._rows(after), self._head_at(after), self.location)

    def lines(self) -> Iterator[bytes]:
        return (line for _, _, line in self._rows(0))

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        fact = seal(draft, head, at)
        self.restore((fact,), head)
        return fact

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        from psycopg.errors import UniqueViolation

        tries = 0

        def write(connection: "Connection[tuple[Any, ...]]") -> None:
            nonlocal tries
            there = self._last(connection)
            if tries and self._line(connection, facts[-1].seq) == facts[-1].line:
                return  # the write succeeded, and only the answer was lost
            if there != head:
                raise moved(self.location, there, head)
            tries += 1
            connection.execute("SET LOCAL synchronous_commit = on")
            connection.cursor().executemany(
                "INSERT INTO promoter.facts (pipeline, seq, digest, line) VALUES (%s, %s, %s, %s)",
                [(self._pipeline, fact.seq, fact.digest, fact.line) for fact in facts],
            )

        try:
            self._writing(write)
        except UniqueViolation as error:
            query = "SELECT line FROM promoter.facts WHERE pipeline = %s AND seq = %s"
            there = self._select(query, (self._pipeline, facts[-1].seq))
            if tries > 1 and there and bytes(there[0][0]) == facts[-1].line:
                return  # an earlier try succeeded, and only its answer was late or lost
            raise moved(self.location, LedgerHead(facts[0].seq), head) from error

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = never_gone) -> Lease:
        stale: str | None = None

        def take(connection: "Connection[tuple[Any, ...]]") -> Lease:
            nonlocal stale
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (self._pipeline, environment))
            row = connection.execute(
                "SELECT owner, token, since, expires FROM promoter.leases WHERE pipeline = %s AND environment = %s",
                (self._pipeline, environment),
            ).fetchone()
            lease = taken(environment, owner, now, row, gone)
            if row is not None and row[0] == owner:  # the answer was lost, and the retry finds our own lease
                lease = replace(lease, took_over=stale)
            stale = lease.took_over
            connection.execute(
                "INSERT INTO promoter.leases (pipeline, environment, owner, token, since, expires) "
                "VALUES (%s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (pipeline, environment) DO UPDATE SET "
                "owner = excluded.owner, token = excluded.token, since = excluded.since, expires = excluded.expires",
                (self._pipeline, environment, owner, lease.token, stamp(now), stamp(now + ttl)),
            )
            return lease

        return self._writing(take)

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        def extend(connection: "Connection[tuple[Any, ...]]") -> None:
            changed = connection.execute(
                "UPDATE promoter.leases SET expires = %s WHERE pipeline = %s AND environment = %s AND owner = %s AND token = %s",
                (stamp(now + ttl), self._pipeline, lease.environment, lease.owner, lease.token),
            ).rowcount
            if not changed:
                raise self._lost(connection, lease)

        self._writing(extend)

    def release(self, lease: Lease) -> None:
        def give_back(connection: "Connection[tuple[Any, ...]]") -> None:
            connection.execute(
                "UPDATE promoter.leases SET owner = NULL WHERE pipeline = %s AND environment = %s AND owner = %s AND token = %s",
                (self._pipeline, lease.environment, lease.owner, lease.token),
            )

        if self._exists():
            self._writing(give_back)

    def held(self) -> tuple[LeaseInfo, ...]:
        found = self._select(
            "SELECT environment, owner, token, since, expires FROM promoter.leases "
            "WHERE pipeline = %s AND owner IS NOT NULL ORDER BY environment",
            (self._pipeline,),
        )
        return tuple(
            LeaseInfo(name, owner, token, read_stamp(since), read_stamp(end)) for name, owner, token, since, end in found
        )

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    # ------------------------------------------------------------ rows
    def _rows(self, after: int) -> Iterator[tuple[int, str, bytes]]:
        """Yield rows page by page, so that a slow reader holds no lock."""
        query = "SELECT seq, digest, line FROM promoter.facts WHERE pipeline = %s AND seq > %s ORDER BY seq LIMIT %s"
        while True:
            page = self._select(query, (self._pipeline, after, _PAGE))
            yield from ((seq, digest, bytes(line)) for seq, digest, line in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def _head_at(self, seq: int) -> LedgerHead:
        query = "SELECT digest FROM promoter.facts WHERE pipeline = %s AND seq = %s"
        found = self._select(query, (self._pipeline, seq)) if seq else []
        return LedgerHead(seq, found[0][0]) if found else LedgerHead(seq)

    def _last(self, connection: "Connection[tuple[Any, ...]]") -> LedgerHead:
        row = connection.execute(
            "SELECT seq, digest FROM promoter.facts WHERE pipeline = %s ORDER BY seq DESC LIMIT 1", (self._pipeline,)
        ).fetchone()
        return LedgerHead(*row) if row else LedgerHead()

    def _line(self, connection: "Connection[tuple[Any, ...]]", seq: int) -> bytes | None:
        row = connection.execute(
            "SELECT line FROM promoter.facts WHERE pipeline = %s AND seq = %s", (self._pipeline, seq)
        ).fetchone()
        return bytes(row[0]) if row else None

    # ------------------------------------------------------------ connection
    def _select(self, query: Any, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        def run_query(connection: "Connection[tuple[Any, ...]]") -> list[tuple[Any, ...]]:
            return connection.execute(query, parameters).fetchall() if self._made(connection) else []

        return self._with(run_query)

    def _writing(self, work: "Callable[[Connection[tuple[Any, ...]]], T]") -> T:
        def write(connection: "Connection[tuple[Any, ...]]") -> T:
            if not self._migrated:
                migrate(connection)
                self._migrated = True
            with connection.transaction():
                return work(connection)

        return self._with(write)

    def _exists(self) -> bool:
        return self._with(self._made)

    def _made(self, connection: "Connection[tuple[Any, ...]]") -> bool:
        self._migrated = self._migrated or version_of(connection) > 0
        return self._migrated

    def _with(self, work: "Callable[[Connection[tuple[Any, ...]]], T]") -> T:
        """Run `work` on the connection, or on a new one after a failure, as the retry policy says."""
        from psycopg.errors import UniqueViolation

        def attempt() -> T | Exception:
            with self._lock, explained(self.location):
                try:
                    return work(self._open())
                except (UniqueViolation, HeadMoved) as error:  # another writer was first: a retry cannot change that
                    return error
                except BaseException:
                    if self._connection is not None and self._connection.broken:
                        self._connection = None
                    raise

        found = self._retry(attempt)
        if isinstance(found, Exception):
            raise found
        return found

    def _open(self) -> "Connection[tuple[Any, ...]]":
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        if self._connection is None or self._connection.closed:
            given = conninfo_to_dict(self._url)
            more = {name: value for name, value in _DEFAULTS.items() if name not in given}
            self._connection = psycopg.connect(make_conninfo(self._url, **more), autocommit=True)
        return self._connection

    # ------------------------------------------------------------ errors
    def _lost(self, connection: "Connection[tuple[Any, ...]]", lease: Lease) -> LeaseLost:
        row = connection.execute(
            "SELECT owner FROM promoter.leases WHERE pipeline = %s AND environment = %s", (self._pipeline, lease.environment)
        ).fetchone()
        return lost(lease, row[0] if row else None)


def without_password(url: str) -> str:
    """Remove the password from an address, for output and files."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        return "postgresql://…"
    shown = {key: str(given[key]) for key in ("host", "port", "dbname", "user", "service") if given.get(key)}
    return f"postgresql:{make_conninfo('', **shown)}"
