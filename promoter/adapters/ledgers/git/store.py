"""The ledger on a branch of a Git repository, for CI on temporary machines: no extra server is needed.

Each append is one commit. Its push is the compare-and-swap: the server accepts it only after the expected commit. An
append whose answer was lost is looked up, and never written twice. Nothing is created before the first write. In the
user's repository only objects and promoter's refs are written.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from promoter.adapters.git.command import Git
from promoter.adapters.ledgers.common import facts_of, moved
from promoter.adapters.ledgers.git.commits import Scribe
from promoter.adapters.ledgers.git.leases import GitLeases
from promoter.adapters.ledgers.git.location import find, parse, shown
from promoter.adapters.ledgers.git.remote import Pushed, Wire
from promoter.adapters.ledgers.git.tree import Tree
from promoter.adapters.retry import jitter
from promoter.ledger.chain import Fact, FactDraft, LedgerHead, seal
from promoter.ledger.store import Gone, Lease, LeaseInfo, never_gone
from promoter.model.errors import LedgerError

_ATTEMPTS = 40
"""The number of attempts, if other pipelines write to the same branch or the server does not answer."""
_SHORTEST, _LONGEST = 0.05, 2.0
"""The random wait after a lost race, in seconds; it doubles from the first to the second value."""


class GitLedger:
    """A `Ledger`. `directory` is the pipeline file's; facts and leases are under the name of `pipeline`.

    `token` is the setting `ledger_token`, for an https remote.
    """

    def __init__(
        self,
        url: str,
        directory: Path,
        pipeline: str,
        git: Git | None = None,
        sleep: Callable[[float], None] = time.sleep,
        token: str | None = None,
    ) -> None:
        parse(url)
        self.location = f"{shown(url)} ({pipeline})"
        self._url, self._directory, self._pipeline = url, directory, pipeline
        self._git, self._sleep, self._token = git or Git(), sleep, token
        self._lock = threading.RLock()
        self._tip: str | None = None
        self._losses = 0

    # ------------------------------------------------------------ facts
    def read(self, after: int = 0) -> Iterator[Fact]:
        tip = self._fetched()
        if tip is None:
            return iter(())
        return facts_of(self._tree.rows(tip, after), self._tree.head_at(tip, after), self.location)

    def lines(self) -> Iterator[bytes]:
        tip = self._fetched()
        return iter(()) if tip is None else (line for _, _, line in self._tree.rows(tip, 0))

    def append(self, draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        fact = seal(draft, head, at)
        self.restore((fact,), head)
        return fact

    def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
        with self._lock:
            known, unsure = self._tip, False  # only a branch that was just fetched proves that the ledger has changed
            for _ in range(_ATTEMPTS):
                tip = known or self._fetched()
                if unsure and self._tree.holds(tip, facts[-1]):
                    return  # the push succeeded, and only the answer was lost
                there = self._tree.head(tip)
                if there != head and known is None:
                    raise moved(self.location, there, head)
                known = None
                if there == head:
                    match self._push(facts, tip):
                        case Pushed.DONE:
                            return
                        case Pushed.UNKNOWN:
                            unsure = True
        raise LedgerError(
            f"the ledger {self.location} accepted no fact in {_ATTEMPTS} attempts: others write to it, or its server is silent",
            hint="run the same command again to continue",
            retryable=True,
        )

    def _push(self, facts: Sequence[Fact], tip: str | None) -> Pushed:
        """Push all facts as one commit: all or none."""
        wire = self._wire
        wire.ensure()
        tree = self._tree.with_facts(tip, facts)
        commit = self._scribe.commit(tree, tip, _subject(facts, self._pipeline), facts[-1].at)
        pushed = wire.move(wire.target.ref, commit, tip)
        if pushed is Pushed.DONE:
            self._tip, self._losses = commit, 0
        else:
            self._losses += 1
            self._sleep(jitter(min(_LONGEST, _SHORTEST * 2**self._losses)))
        return pushed

    def _fetched(self) -> str | None:
        with self._lock:
            self._tip = self._wire.tip()
            return self._tip

    # ------------------------------------------------------------ leases
    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = never_gone) -> Lease:
        return self._leases.acquire(environment, owner, ttl, now, gone)

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        self._leases.renew(lease, ttl, now)

    def release(self, lease: Lease) -> None:
        self._leases.release(lease)

    def held(self) -> tuple[LeaseInfo, ...]:
        return self._leases.held()

    def close(self) -> None:
        """Do nothing: each command is a short process."""

    # ------------------------------------------------------------ parts, found when they are first used
    @cached_property
    def _wire(self) -> Wire:
        return Wire(self._git, find(self._git, self._directory, self._url), self._sleep, self._token)

    @cached_property
    def _tree(self) -> Tree:
        return Tree(self._wire, self._pipeline)

    @cached_property
    def _scribe(self) -> Scribe:
        return Scribe(self._wire)

    @cached_property
    def _leases(self) -> GitLeases:
        return GitLeases(self._wire, self._scribe, self._pipeline, self._sleep)


def _subject(facts: Sequence[Fact], pipeline: str) -> str:
    """Return the subject for `git log --oneline`."""
    fact = facts[-1]
    if len(facts) > 1:
        return f"{pipeline}: copied (facts {facts[0].seq} to {fact.seq})"
    words = [f"{pipeline}:", str(fact.kind), fact.release or "", f"in {fact.environment}" if fact.environment else ""]
    return " ".join([*" ".join(words).split(), f"(fact {fact.seq})"])
