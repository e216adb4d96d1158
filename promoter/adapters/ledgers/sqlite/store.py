"""The ledger in one SQLite file: the default, for one machine with any number of processes and threads.

Each change is one transaction that is on disk before the call returns. Nothing is created before the first write.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from promoter.adapters.ledgers.common import facts_of, lost, moved, taken
from promoter.adapters.ledgers.sqlite.schema import explained, open_existing, open_for_writing, transaction
from promoter.ledger.chain import Fact, FactDraft, LedgerHead, seal
from promoter.ledger.store import Gone, Lease, LeaseInfo, never_gone
from promoter.model.errors import LeaseLost
from promoter.model.timestamps import read_stamp, stamp

_PAGE = 1000


class SqliteLedger:
    """A `Ledger`. `timeout` is how long to wait for a locked file. One connection, used by one thread at a time."""

    def __init__(self, path: Path, timeout: timedelta = timedelta(seconds=30)) -> None:
        self.location = f"sqlite:{path}"
        self._path = path
        self._timeout = timeout.total_seconds()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._writable = False

    def read(self, after: int = 0) -> Iterator[Fact]:
        return facts_of(self._rows(after), self._head_at(after), str(self._path))

    def lines(self) -> Iterator[bytes]:
        return (line for _, _, line in self._rows(0))

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        fact = seal(draft, head, at)
        self.restore((fact,), head)
        return fact

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        with self._writing() as connection:
            row = connection.execute("SELECT seq, digest FROM facts ORDER BY seq DESC LIMIT 1").fetchone()
            there = LedgerHead(*row) if row else LedgerHead()
            if there != head:
                raise moved(str(self._path), there, head)
            rows = ((fact.seq, fact.digest, fact.line) for fact in facts)
            connection.executemany("INSERT INTO facts (seq, digest, line) VALUES (?, ?, ?)", rows)

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = never_gone) -> Lease:
        with self._writing() as connection:
            row = connection.execute(
                "SELECT owner, token, since, expires FROM leases WHERE environment = ?", (environment,)
            ).fetchone()
            lease = taken(environment, owner, now, row, gone)
            connection.execute(
                "INSERT INTO leases (environment, owner, token, since, expires) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (environment) DO UPDATE SET "
                "owner = excluded.owner, token = excluded.token, since = excluded.since, expires = excluded.expires",
                (environment, owner, lease.token, stamp(now), stamp(now + ttl)),
            )
        return lease

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE leases SET expires = ? WHERE environment = ? AND owner = ? AND token = ?",
                (stamp(now + ttl), lease.environment, lease.owner, lease.token),
            ).rowcount
            if not changed:
                raise self._lost(connection, lease)

    def release(self, lease: Lease) -> None:
        if self._path.exists():
            with self._writing() as connection:
                connection.execute(
                    "UPDATE leases SET owner = NULL WHERE environment = ? AND owner = ? AND token = ?",
                    (lease.environment, lease.owner, lease.token),
                )

    def held(self) -> tuple[LeaseInfo, ...]:
        query = "SELECT environment, owner, token, since, expires FROM leases WHERE owner IS NOT NULL ORDER BY environment"
        return tuple(
            LeaseInfo(name, owner, token, read_stamp(since), read_stamp(expires))
            for name, owner, token, since, expires in self._select(query, ())
        )

    def close(self) -> None:
        with self._lock, explained(self._path):
            if self._connection is not None:
                self._connection.close()
            self._connection, self._writable = None, False

    def _rows(self, after: int) -> Iterator[tuple[int, str, bytes]]:
        """Yield rows page by page, so that a slow reader holds no lock."""
        while True:
            page = self._select("SELECT seq, digest, line FROM facts WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def _head_at(self, seq: int) -> LedgerHead:
        rows = self._select("SELECT seq, digest, line FROM facts WHERE seq = ?", (seq,)) if seq else []
        return LedgerHead(rows[0][0], rows[0][1]) if rows else LedgerHead(seq)

    def _select(self, query: str, parameters: tuple[int, ...]) -> list[tuple[Any, ...]]:
        with self._lock, explained(self._path):
            if self._connection is None:
                self._connection = open_existing(self._path, self._timeout)
            return [] if self._connection is None else self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            if self._connection is None or not self._writable:
                self.close()
                self._connection = open_for_writing(self._path, self._timeout)
                self._writable = True
            with transaction(self._connection):
                yield self._connection

    def _lost(self, connection: sqlite3.Connection, lease: Lease) -> LeaseLost:
        row = connection.execute("SELECT owner FROM leases WHERE environment = ?", (lease.environment,)).fetchone()
        return lost(lease, row[0] if row else None)
