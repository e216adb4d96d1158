"""Holding an environment: a lease with a heartbeat, checked before every act under it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from promoter.model.errors import LeaseLost, PromoterError
from promoter.ports import Clock, Gone, Held, Lease, Ledger, is_alive, nobody

TIME_TO_LIVE = timedelta(seconds=30)
POLL = 2.0
"""Seconds between two looks at a lease that somebody else holds."""


class Hold:
    """A lease in hand. `check` raises LeaseLost as soon as the heartbeat has found it taken over or out of date."""

    def __init__(self, ledger: Ledger, lease: Lease, clock: Clock, ttl: timedelta, begun: float) -> None:
        self.lease = lease
        self._ledger, self._clock, self._ttl = ledger, clock, ttl
        self._lost: PromoterError | None = None
        self._renewed = begun
        self._end = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"lease {lease.environment}", daemon=True)
        self._heart.start()

    def check(self) -> None:
        if self._lost is not None:
            raise self._lost
        if self._clock.monotonic() - self._renewed > self._ttl.total_seconds() * 2 / 3:
            self._renew()  # the process slept through a heartbeat: the ledger says whether the lease is still ours
            if self._lost is not None:
                raise self._lost

    def let_go(self) -> None:
        self._end.set()
        self._heart.join()
        self._ledger.release(self.lease)

    def _beat(self) -> None:
        while not self._end.wait(self._ttl.total_seconds() / 3) and self._lost is None:
            self._renew()

    def _renew(self) -> None:
        begun = self._clock.monotonic()
        try:
            self._ledger.renew(self.lease, self._ttl, self._clock.now())
            self._renewed = begun
        except LeaseLost as error:
            self._lost = error
        except PromoterError as error:  # the ledger may come back before the lease runs out
            if self._clock.monotonic() - self._renewed > self._ttl.total_seconds():
                self._lost = error


@contextmanager
def holding(
    ledger: Ledger, environment: str, owner: str, clock: Clock, ttl: timedelta = TIME_TO_LIVE, gone: Gone = nobody
) -> Iterator[Hold]:
    """Raises LeaseHeld when another run holds the environment."""
    begun = clock.monotonic()
    hold = Hold(ledger, ledger.acquire(environment, owner, ttl, clock.now(), gone), clock, ttl, begun)
    try:
        yield hold
    finally:
        hold.let_go()


def others(ledger: Ledger, owner: str, clock: Clock, gone: Gone = nobody) -> tuple[Held, ...]:
    """Leases of other owners that are alive: neither out of date nor of a process that is known to have ended."""
    now = clock.now()
    return tuple(held for held in ledger.held() if held.owner != owner and is_alive(held.expires, now) and not gone(held.owner))


def came_free(
    ledger: Ledger, environment: str, owner: str, clock: Clock, deadline: float, gone: Gone, tell: Callable[[Held, float], None]
) -> bool:
    """Waits while somebody else holds the environment, until `deadline` on the monotonic clock at most."""
    told = None
    while True:
        holder = next((held for held in others(ledger, owner, clock, gone) if held.environment == environment), None)
        left = deadline - clock.monotonic()
        if holder is None:
            return left > 0
        if left <= 0:
            return False
        if holder.owner != told:
            tell(holder, left)
            told = holder.owner
        clock.sleep(min(POLL, left))
