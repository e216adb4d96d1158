"""Hold an environment: a lease with a heartbeat, checked before every action under it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from promoter.ledger.store import Gone, Lease, LeaseInfo, LedgerStore, is_alive, never_gone
from promoter.model.clock import Clock
from promoter.model.errors import LeaseLost, PromoterError

TIME_TO_LIVE = timedelta(seconds=30)
POLL = 2.0
"""Seconds between two checks of a lease that another run holds."""
SHARE = 10
"""Lease checks before actions may use at most 10 % of the run time."""


class HeldLease:
    """A lease that this run holds. `check` raises LeaseLost after another run has taken it over, or it has expired.

    A fast, local ledger is asked before every action; a slow one across a network less often.
    """

    def __init__(self, ledger: LedgerStore, lease: Lease, clock: Clock, ttl: timedelta, started: float) -> None:
        self.lease = lease
        self._ledger, self._clock, self._ttl = ledger, clock, ttl
        self._lost: PromoterError | None = None
        self._renewed = self._ask_at = started
        self._asking = threading.Lock()
        self._end = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"lease {lease.environment}", daemon=True)
        self._heart.start()

    def check(self) -> None:
        if self._lost is not None:
            raise self._lost
        if self._clock.monotonic() - self._renewed > self._ttl.total_seconds() * 2 / 3 or not self._still_ours():
            self._renew()  # the process missed a heartbeat, or another run has the lease: ask the ledger
            if self._lost is not None:
                raise self._lost

    def give_back(self) -> None:
        """Give the lease back. If the ledger cannot be reached, the lease expires by itself."""
        self._end.set()
        self._heart.join()
        with suppress(PromoterError):
            self._ledger.release(self.lease)

    def _still_ours(self) -> bool:
        """Return whether the ledger names this run and its token. If the ledger does not answer, the heartbeat decides."""
        with self._asking:
            started = self._clock.monotonic()
            if started < self._ask_at:
                return True
            ours = True
            with suppress(PromoterError):
                ours = any((held.owner, held.token) == (self.lease.owner, self.lease.token) for held in self._ledger.held())
            self._ask_at = self._clock.monotonic() + SHARE * (self._clock.monotonic() - started)
            return ours

    def _beat(self) -> None:
        while not self._end.wait(self._ttl.total_seconds() / 3) and self._lost is None:
            self._renew()

    def _renew(self) -> None:
        started = self._clock.monotonic()
        try:
            self._ledger.renew(self.lease, self._ttl, self._clock.now())
            self._renewed = started
        except LeaseLost as error:
            self._lost = error
        except PromoterError as error:  # the ledger may answer again before the lease expires
            if self._clock.monotonic() - self._renewed > self._ttl.total_seconds():
                self._lost = error


@contextmanager
def holding(
    ledger: LedgerStore, environment: str, owner: str, clock: Clock, ttl: timedelta = TIME_TO_LIVE, gone: Gone = never_gone
) -> Iterator[HeldLease]:
    """Take a lease. Raise LeaseHeld if another run holds the environment."""
    started = clock.monotonic()
    hold = HeldLease(ledger, ledger.acquire(environment, owner, ttl, clock.now(), gone), clock, ttl, started)
    try:
        yield hold
    finally:
        hold.give_back()


def others(ledger: LedgerStore, owner: str, clock: Clock, gone: Gone = never_gone) -> tuple[LeaseInfo, ...]:
    """Return active leases of other owners: not expired, and not of a process that is known to have ended."""
    now = clock.now()
    return tuple(held for held in ledger.held() if held.owner != owner and is_alive(held.expires, now) and not gone(held.owner))


def came_free(
    ledger: LedgerStore,
    environment: str,
    owner: str,
    clock: Clock,
    deadline: float,
    gone: Gone,
    emit: Callable[[LeaseInfo, float], None],
) -> bool:
    """Wait while another run holds the environment, at most until `deadline` on the monotonic clock."""
    reported = None
    while True:
        holder = next((held for held in others(ledger, owner, clock, gone) if held.environment == environment), None)
        left = deadline - clock.monotonic()
        if holder is None:
            return left > 0
        if left <= 0:
            return False
        if holder.owner != reported:
            emit(holder, left)
            reported = holder.owner
        clock.sleep(min(POLL, left))
