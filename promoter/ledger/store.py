"""Port: a store of facts and leases, and what is cached beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, Self

from promoter.ledger.chain import Fact, FactDraft, LedgerHead
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass


# ---------------------------------------------------------------- ledger
@dataclass(frozen=True)
class Lease:
    """The right to change one environment. `token` grows with every holder; `took_over` names a stale owner."""

    environment: str
    owner: str
    token: int
    took_over: str | None = None


LONGEST_LEASE = timedelta(hours=1)
"""The longest valid lease. A longer one was taken with a wrong clock and counts as stale, or it could last for years."""


def is_alive(expires: datetime, now: datetime) -> bool:
    """Return whether a lease that expires at `expires` is still valid at `now`."""
    return now < expires <= now + LONGEST_LEASE


@dataclass(frozen=True)
class LeaseInfo:
    """A lease as others see it. It may be stale by now."""

    environment: str
    owner: str
    token: int
    since: datetime
    expires: datetime


Gone = Callable[[str], bool]
"""Tests whether the owner of a lease is known to have ended."""


def never_gone(owner: str) -> bool:
    """Default: no owner is known to have ended."""
    del owner
    return False


class LedgerStore(Protocol):
    """Facts of one pipeline, appended with the expected head; and leases. Methods raise LedgerError."""

    location: str

    def read(self, after: int = 0) -> Iterator[Fact]:
        """Yield facts with a sequence number above `after`, in order."""

    def lines(self) -> Iterator[bytes]:
        """Yield the exact lines from the first, without checks."""

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        """Append durably, directly after `head`. Raise HeadMoved if another writer was first."""

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        """Append unchanged facts of another ledger durably, directly after `head`: all or none. Raise HeadMoved."""

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = never_gone) -> Lease:
        """Take a lease, also a stale one or one of an ended owner. Raise LeaseHeld if another owner's lease is active."""

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        """Renew a lease. Raise LeaseLost if another run holds it now."""

    def release(self, lease: Lease) -> None:
        """Give a lease back. A lost lease is not an error."""

    def held(self) -> tuple[LeaseInfo, ...]:
        """Return all leases that were not given back, also stale ones, by the name of their environment."""

    def close(self) -> None: ...


class TrustedHead(Protocol):
    """Port: the trusted heads that this machine stores."""

    def seen(self) -> LedgerHead | None:
        """Return the head by the location of the ledger, as it is written; None if there is none."""

    def entries(self) -> Mapping[str, LedgerHead]:
        """Return the heads of all ledgers, by location and by chain."""

    def policy_ref(self) -> str | None:
        """Return the git ref that fixed the policy of the pipeline, from any ledger."""

    def note(self, head: LedgerHead, chain: str | None = None, policy_ref: str | None = None) -> None:
        """Store the head under both, and the ref that fixes the policy. Failures are ignored."""


class StateCache(Protocol):
    """Port: a state that is stored beside a ledger, so that viewing a long ledger does not read all of it.

    No decision uses it, and it can be deleted at any time.
    """

    def load(self) -> State | None:
        """Return the saved state, whose rows are read on demand; None if there is none that can be read."""

    def save(self, state: State) -> None:
        """Save `state`, which extends the state of `load` or the empty state. Failures are ignored."""

    def scratch(self) -> Self:
        """Return an empty cache to compare with. It is deleted when it is closed."""

    def same(self, other: Self) -> bool:
        """Return whether both are equal, or cannot be compared because their heads differ."""

    def forget(self) -> None: ...

    def close(self) -> None: ...
