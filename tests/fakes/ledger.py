"""A ledger in memory that keeps every promise of the port except durability."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from promoter.ledger.chain import Fact, FactDraft, LedgerHead, head_of, read_line, seal
from promoter.ledger.store import Gone, Lease, LeaseInfo, is_alive, never_gone
from promoter.model.errors import HeadMoved, LeaseHeld, LeaseLost


@dataclass(frozen=True)
class _Hold:
    token: int
    owner: str | None
    since: datetime
    expires: datetime


class MemoryLedger:
    def __init__(self) -> None:
        self.location = "memory"
        self.kept: list[bytes] = []
        self._holds: dict[str, _Hold] = {}
        self._lock = threading.Lock()

    def read(self, after: int = 0) -> Iterator[Fact]:
        return (read_line(line) for line in self.kept[after:])

    def lines(self) -> Iterator[bytes]:
        return iter(tuple(self.kept))

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        fact = seal(draft, head, at)
        self.restore((fact,), head)
        return fact

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        with self._lock:
            there = head_of(read_line(self.kept[-1])) if self.kept else LedgerHead()
            if there != head:
                raise HeadMoved(f"expected fact {head.seq} as the last, got fact {there.seq}")
            self.kept += [fact.line for fact in facts]

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = never_gone) -> Lease:
        with self._lock:
            hold = self._holds.get(environment)
            other = hold.owner if hold is not None and hold.owner != owner else None
            if hold is not None and other is not None and is_alive(hold.expires, now) and not gone(other):
                raise LeaseHeld(environment, other, f"{hold.since:%H:%M:%S}")
            token = hold.token + 1 if hold is not None else 1
            self._holds[environment] = _Hold(token, owner, now, now + ttl)
            return Lease(environment, owner, token, other)

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        with self._lock:
            hold = self._holds.get(lease.environment)
            if hold is None or (hold.owner, hold.token) != (lease.owner, lease.token):
                raise LeaseLost(f"{lease.owner} has lost its lease on {lease.environment}")
            self._holds[lease.environment] = replace(hold, expires=now + ttl)

    def release(self, lease: Lease) -> None:
        with self._lock:
            hold = self._holds.get(lease.environment)
            if hold is not None and (hold.owner, hold.token) == (lease.owner, lease.token):
                self._holds[lease.environment] = replace(hold, owner=None)

    def held(self) -> tuple[LeaseInfo, ...]:
        with self._lock:
            holds = sorted(self._holds.items())
        return tuple(
            LeaseInfo(name, one.owner, one.token, one.since, one.expires) for name, one in holds if one.owner is not None
        )

    def close(self) -> None:
        """Do nothing: no file is open."""
