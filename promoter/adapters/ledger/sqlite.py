"""The ledger in one SQLite file: the default home, for one machine and any number of processes and threads on it.

Each change is one transaction that is on disk before it is answered. Nothing is made before the first write.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from promoter.adapters.ledger.schema import explained, open_existing, open_for_writing, transaction
from promoter.model.errors import HeadMoved, LeaseHeld, LeaseLost, LedgerError
from promoter.model.facts import Draft, Fact, Head, head_of, misfit, read_line, read_stamp, seal, stamp
from promoter.ports import Gone, Held, Lease, nobody

_PAGE = 1000
_SAY = "%Y-%m-%d %H:%M:%S UTC"


class SqliteLedger:
    """A `Ledger`. `patience` is how long a locked file is waited for. One connection, one user of it at a time."""

    def __init__(self, path: Path, patience: timedelta = timedelta(seconds=30)) -> None:
        self.location = f"sqlite:{path}"
        self._path = path
        self._patience = patience.total_seconds()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._writable = False

    def read(self, after: int = 0) -> Iterator[Fact]:
        head = self._head_at(after)
        for seq, digest, line in self._rows(after):
            try:
                fact = read_line(line)
            except ValueError as error:
                raise self._broken(seq, str(error)) from error
            problem = misfit(fact, head)
            head = head_of(fact)
            if problem is not None or head.digest != digest:
                raise self._broken(seq, problem or f"its line is no longer the one that was recorded as {digest}")
            yield fact

    def lines(self) -> Iterator[bytes]:
        return (line for _, _, line in self._rows(0))

    def append(self, draft: Draft, head: Head, at: datetime) -> Fact:
        with self._writing() as connection:
            row = connection.execute("SELECT seq, digest FROM facts ORDER BY seq DESC LIMIT 1").fetchone()
            there = Head(*row) if row else Head()
            if there != head:
                raise HeadMoved(
                    f"the ledger {self._path} has moved on: fact {there.seq} is its last, and {head.seq} was expected",
                    hint="run the same command again",
                    retryable=True,
                )
            fact = seal(draft, head, at)
            connection.execute("INSERT INTO facts (seq, digest, line) VALUES (?, ?, ?)", (fact.seq, fact.digest, fact.line))
        return fact

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = nobody) -> Lease:
        with self._writing() as connection:
            row = connection.execute(
                "SELECT owner, token, since, expires FROM leases WHERE environment = ?", (environment,)
            ).fetchone()
            holder, token, since, expires = row or (None, 0, "", "")
            other = holder if holder != owner else None
            if other is not None and read_stamp(expires) > now and not gone(other):
                raise LeaseHeld(environment, other, read_stamp(since).strftime(_SAY))
            connection.execute(
                "INSERT INTO leases (environment, owner, token, since, expires) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (environment) DO UPDATE SET "
                "owner = excluded.owner, token = excluded.token, since = excluded.since, expires = excluded.expires",
                (environment, owner, token + 1, stamp(now), stamp(now + ttl)),
            )
        return Lease(environment, owner, token + 1, other)

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

    def held(self) -> tuple[Held, ...]:
        query = "SELECT environment, owner, token, since, expires FROM leases WHERE owner IS NOT NULL ORDER BY environment"
        return tuple(Held(name, owner, token, read_stamp(since), read_stamp(expires))
                     for name, owner, token, since, expires in self._select(query, ()))  # fmt: skip

    def close(self) -> None:
        with self._lock, explained(self._path):
            if self._connection is not None:
                self._connection.close()
            self._connection, self._writable = None, False

    def _rows(self, after: int) -> Iterator[tuple[int, str, bytes]]:
        """A page at a time: a reader that is slow, or stops half-way, holds nothing."""
        while True:
            page = self._select("SELECT seq, digest, line FROM facts WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def _head_at(self, seq: int) -> Head:
        rows = self._select("SELECT seq, digest, line FROM facts WHERE seq = ?", (seq,)) if seq else []
        return Head(rows[0][0], rows[0][1]) if rows else Head(seq)

    def _select(self, query: str, parameters: tuple[int, ...]) -> list[tuple[Any, ...]]:
        with self._lock, explained(self._path):
            if self._connection is None:
                self._connection = open_existing(self._path, self._patience)
            return [] if self._connection is None else self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            if self._connection is None or not self._writable:
                self.close()
                self._connection = open_for_writing(self._path, self._patience)
                self._writable = True
            with transaction(self._connection):
                yield self._connection

    def _lost(self, connection: sqlite3.Connection, lease: Lease) -> LeaseLost:
        row = connection.execute("SELECT owner FROM leases WHERE environment = ?", (lease.environment,)).fetchone()
        by = f"{row[0]} holds it now" if row and row[0] else "nobody holds it now"
        return LeaseLost(
            f"{lease.owner} has lost its hold on {lease.environment}: {by}",
            hint="nothing more was done there; run the same command again, it carries on",
        )

    def _broken(self, seq: int, problem: str) -> LedgerError:
        return LedgerError(
            f"the ledger {self._path} is broken at fact {seq}: {problem}",
            hint="`promoter ledger verify` shows where; a backup or an export can take its place",
        )
