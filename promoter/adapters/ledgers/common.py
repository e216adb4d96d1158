"""Logic shared by all ledger stores: which rows are facts, who gets a lease, and error messages."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from promoter.ledger.chain import Fact, LedgerHead, head_of, misfit, read_line
from promoter.ledger.store import Gone, Lease, is_alive
from promoter.model.errors import HeadMoved, LeaseHeld, LeaseLost, LedgerBroken
from promoter.model.timestamps import read_stamp

Hold = tuple[str | None, int, str, str]
"""The owner of a lease (None: released), its token, its start and its expiry (both as stamps)."""
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S UTC"


def facts_of(rows: Iterable[tuple[int, str | None, bytes]], head: LedgerHead, where: str) -> Iterator[Fact]:
    """Return the facts after `head` from rows of (place, recorded digest if any, line). Raise LedgerBroken."""
    for position, digest, line in rows:
        try:
            fact = read_line(line)
        except ValueError as error:
            raise LedgerBroken(where, f"fact {position}: {error}") from error
        problem = misfit(fact, head)
        if problem is None and position != fact.seq:
            problem = f"found fact {fact.seq} in its place"
        head = head_of(fact)
        if problem is None and digest not in (None, head.digest):
            problem = f"its line has changed: it was recorded with digest {digest}"
        if problem is not None:
            raise LedgerBroken(where, f"fact {position}: {problem}")
        yield fact


def taken(environment: str, owner: str, now: datetime, found: Hold | None, gone: Gone) -> Lease:
    """Return the lease for `owner`. Raise LeaseHeld while another one is alive."""
    holder, token, since, expires = found or (None, 0, "", "")
    other = holder if holder != owner else None
    if other is not None and is_alive(read_stamp(expires), now) and not gone(other):
        raise LeaseHeld(environment, other, read_stamp(since).strftime(_TIME_FORMAT))
    return Lease(environment, owner, token + 1, other)


def lost(lease: Lease, holder: str | None) -> LeaseLost:
    by = f"{holder} holds it now" if holder else "it is not held now"
    return LeaseLost(
        f"{lease.owner} has lost its lease on {lease.environment}: {by}",
        hint="nothing more was done there; run the same command again to continue",
    )


def moved(where: str, there: LedgerHead, head: LedgerHead) -> HeadMoved:
    return HeadMoved(
        f"the ledger {where} has changed: expected fact {head.seq} as its last, got fact {there.seq}",
        hint="run the same command again",
        retryable=True,
    )
