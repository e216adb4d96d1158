"""Leases as refs of the remote: refs/promoter/leases/PIPELINE/ENVIRONMENT, each a commit whose message is the hold.

A ref is created or moved only if it is unchanged since it was read, so that only one of several runs gets it. It is
never removed: its token only grows.
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from promoter.adapters.ledgers.common import Hold, lost, taken
from promoter.adapters.ledgers.git.commits import Scribe
from promoter.adapters.ledgers.git.remote import Pushed, Wire
from promoter.adapters.retry import jitter
from promoter.ledger.store import Gone, Lease, LeaseInfo
from promoter.model.canonical_json import canonical
from promoter.model.errors import LedgerError
from promoter.model.timestamps import read_stamp, stamp

_KEYS = ("owner", "token", "since", "expires")
_ATTEMPTS = 20
_PAUSE = 0.3
"""The longest random wait, in seconds, after another run was first."""
Change = Callable[[Hold | None], Hold | None]
"""Returns the new hold for the current one; None for no change. May raise."""


class GitLeases:
    def __init__(self, wire: Wire, scribe: Scribe, pipeline: str, sleep: Callable[[float], None]) -> None:
        self._wire, self._scribe, self._pipeline, self._sleep = wire, scribe, pipeline, sleep
        self._lock = threading.RLock()
        self._seen: dict[str, tuple[str, Hold]] = {}

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone) -> Lease:
        got: list[Lease] = []

        def take(found: Hold | None) -> Hold:
            got.append(taken(environment, owner, now, found, gone))
            return owner, got[-1].token, stamp(now), stamp(now + ttl)

        self._change(environment, take)
        return got[-1]

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        def extend(found: Hold | None) -> Hold:
            if found is None or found[:2] != (lease.owner, lease.token):
                raise lost(lease, found[0] if found else None)
            return lease.owner, lease.token, found[2], stamp(now + ttl)

        self._change(lease.environment, extend, seen=True)

    def release(self, lease: Lease) -> None:
        def give_back(found: Hold | None) -> Hold | None:
            if found is None or found[:2] != (lease.owner, lease.token):
                return None
            return None, lease.token, found[2], found[3]

        self._change(lease.environment, give_back, seen=True)

    def held(self) -> tuple[LeaseInfo, ...]:
        with self._lock:
            self._fetch()
            rows = sorted((name, hold) for name, (_, hold) in self._seen.items())
        return tuple(
            LeaseInfo(name, hold[0], hold[1], read_stamp(hold[2]), read_stamp(hold[3])) for name, hold in rows if hold[0]
        )

    # ------------------------------------------------------------ refs
    def _change(self, environment: str, change: Change, *, seen: bool = False) -> None:
        """Compute the new hold from the current one and move the ref. With `seen`, the first try may use what was read last."""
        tried: Hold | None = None
        with self._lock:
            for attempt in range(_ATTEMPTS):
                if attempt or not (seen and environment in self._seen):
                    self._fetch()
                commit, hold = self._seen.get(environment, (None, None))
                if tried is not None and hold == tried:
                    return  # the push succeeded, and only the answer was lost
                tried = change(hold)
                if tried is None or self._move(environment, tried, commit):
                    return
                self._sleep(jitter(_PAUSE))
        raise LedgerError(
            f"the lease of {environment} in the ledger {self._wire.name} could not be changed in {_ATTEMPTS} attempts",
            hint="run the same command again to continue",
            retryable=True,
        )

    def _move(self, environment: str, hold: Hold, seen: str | None) -> bool:
        self._wire.ensure()
        text = canonical(dict(zip(_KEYS, hold, strict=True))).decode()
        commit = self._scribe.note(text, read_stamp(hold[2]))
        moved = self._wire.move(f"{self._wire.target.leases(self._pipeline)}/{environment}", commit, seen) is Pushed.DONE
        if moved:
            self._seen[environment] = commit, hold
        return moved

    def _fetch(self) -> None:
        self._seen = {
            name: (commit, self._read(name, text)) for name, (commit, text) in self._wire.leases(self._pipeline).items()
        }

    def _read(self, environment: str, text: str) -> Hold:
        try:
            row = json.loads(text)
            owner, token, since, expires = (row[key] for key in _KEYS)
            read_stamp(since), read_stamp(expires)
            return owner, int(token), since, expires
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerError(
                f"the lease of {environment} in the ledger {self._wire.name} cannot be read: {text[:100]!r}",
                hint=f"another program wrote the ref {self._wire.target.leases(self._pipeline)}/{environment}: restore it",
            ) from error
