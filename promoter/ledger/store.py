"""Port: a store of facts and leases, and what is cached beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from promoter.ledger.chain import Fact, FactDraft, LedgerHead
from promoter.ledger.state import State


# ---------------------------------------------------------------- ledger
@dataclass(frozen=True, slots=True)
class Lease:
    """The right to change one environment. `token` grows with every holder; `took_over` names a stale owner."""

    environment: str
    owner: str
    token: int
    took_over: str | None = None


LONGEST_LEASE = timedelta(hours=1)
"""A lease that is to hold for longer was taken by a clock that is ahead, and counts as stale: it must not last for years."""


def is_alive(expires: datetime, now: datetime) -> bool:
    """Whether a lease that runs out at `expires` still holds, as far as the clock that says `now` can tell."""
    return now < expires <= now + LONGEST_LEASE


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """A lease as others see it: it may be stale by now."""

    environment: str
    owner: str
    token: int
    since: datetime
    expires: datetime


Gone = Callable[[str], bool]
"""Whether the owner of a lease is known to have ended."""


def nobody(owner: str) -> bool:
    """Of nobody is it known."""
    del owner
    return False


class LedgerStore(Protocol):
    """Facts of one pipeline, appended with the expected head; and leases. Raises LedgerError."""

    location: str

    def read(self, after: int = 0) -> Iterator[Fact]:
        """Facts with a sequence number above `after`, in order."""

    def lines(self) -> Iterator[bytes]:
        """The exact lines, unchecked, from the first."""

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        """Durably appends right after `head`. Raises HeadMoved when somebody else was first."""

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        """Durably appends facts of another ledger as they are, right after `head`: all or none. Raises HeadMoved."""

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = nobody) -> Lease:
        """Raises LeaseHeld while another owner's lease is alive; one that is stale, or whose owner is gone, is taken over."""

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        """Raises LeaseLost when another holds it now."""

    def release(self, lease: Lease) -> None:
        """Gives it back; one that is lost already is no error."""

    def held(self) -> tuple[LeaseInfo, ...]:
        """All leases that were not given back, stale ones too, by the name of their environment."""

    def close(self) -> None: ...


class TrustedHead(Protocol):
    """What was last seen of this ledger from here."""

    def seen(self) -> LedgerHead | None:
        """Under its place as it is spelled; None when nothing was."""

    def entries(self) -> Mapping[str, LedgerHead]:
        """Of all ledgers, under their places and under their chains."""

    def policy_ref(self) -> str | None:
        """The git ref that held the policy of the pipeline here, whichever ledger said so."""

    def note(self, head: LedgerHead, chain: str | None = None, policy_ref: str | None = None) -> None:
        """Remembers it under both, as well as it can, and the ref that holds the policy."""


class StateCache(Protocol):
    """A state that is kept beside a ledger, so that looking at a long one does not mean reading all of it.

    It is never what a decision rests on, and can be thrown away at any time.
    """

    def load(self) -> State | None:
        """The last one that was saved, read row by row as it is looked at; None when there is none that can be read."""

    def save(self, state: State) -> None:
        """Keeps `state`, which `load` gave or which follows on from that or from nothing; as well as it can."""

    def beside(self) -> Self:
        """An empty one, to compare with. It is gone when it is closed."""

    def same(self, other: Self) -> bool:
        """Whether both say the same; also where they end with another fact, and nobody can tell."""

    def forget(self) -> None: ...

    def close(self) -> None: ...
