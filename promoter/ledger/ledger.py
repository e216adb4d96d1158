"""Read and write facts while a command runs: a ledger, and the state that is computed from its facts.

Several threads may share a ledger. A thread that writes after another one first reads the new facts, and is
asked to evaluate again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import field
from typing import Any

from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, misfit, seal
from promoter.ledger.facts import Payload
from promoter.ledger.reducer import fold
from promoter.ledger.state import EMPTY, State
from promoter.ledger.store import LedgerStore, StateCache, TrustedHead
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import HeadMoved, LeaseLost, LedgerBroken, LedgerError
from promoter.model.redaction import Redact, redacted, unchanged

LONG = 2000
"""Below this number of facts, computing the state is faster than a state cache."""
PORTION = 10_000
"""Number of facts to compute at once when all facts are read."""
FOR_PEOPLE = ("reason", "reasons", "evidence", "detail", "gates", "command", "findings")
"""Keys of facts with texts that may contain output of engines and programs, or words of people."""
Guard = Callable[[State], None]
"""Checks the exact state that a fact will follow, and raises if the fact must not be written."""


@dataclass(frozen=True)
class LedgerView:
    """A read-only view of a ledger at an earlier time."""

    state: State

    @property
    def policy_refs(self) -> tuple[str | None, ...]:
        return (self.state.policy_ref,)


@dataclass(frozen=True)
class Witnessed:
    """The trusted heads of this machine: of the ledger at this location, and of every ledger by its chain."""

    local: LedgerHead | None = None
    known: Mapping[str, LedgerHead] = field(default_factory=dict)


class Ledger:
    """A ledger. Facts are written in the name of `actor`."""

    def __init__(
        self,
        store: LedgerStore,
        clock: Clock,
        actor: str,
        witness: TrustedHead | None = None,
        kept: StateCache | None = None,
        redact: Redact = unchanged,
    ) -> None:
        """`redact` removes the values of secrets from texts for people."""
        self.store, self.actor, self._redact = store, actor, redact
        self._clock, self._witness, self._kept = clock, witness, kept
        self._lock = threading.RLock()
        self._state: State | None = None
        self._glanced = False

    @property
    def state(self) -> State:
        """Return the state after the last read or write. The first use reads the facts."""
        state = self._state
        return self.refresh() if state is None else state

    @property
    def policy_refs(self) -> tuple[str | None, ...]:
        """Return the refs that fix the policy, known from this ledger and from the one that was used before."""
        return self.state.policy_ref, self._witness.policy_ref() if self._witness is not None else None

    def glance(self) -> State:
        """Load a state for viewing only: read facts after the end of the state cache. A later action reads all facts."""
        with self._lock:
            if self._kept is None or self._state is not None:
                return self.refresh()
            seen, known = self.witnessed(), self._kept.load()
            if known is not None and not self._contains(known.head):
                self._kept.forget()
                known = None
            base = known or EMPTY
            state = fold(self.following(base.head), base)
            self.never_back(state.head, seen, state.chain)
            self._note(state)
            if state.head.seq - base.head.seq >= LONG:
                self._kept.save(state)
            self._state, self._glanced = state, known is not None
            return state

    def _contains(self, head: LedgerHead) -> bool:
        there = next(iter(self.store.read(head.seq - 1)), None)
        return there is not None and head_of(there) == head

    @contextmanager
    def rebuilding(self) -> "Iterator[Rebuilding]":
        """Return an object that takes every fact from the first, while a caller checks the chain."""
        known = self._kept.load() if self._kept is not None else None
        if self._kept is None or known is None:
            yield Rebuilding(None, None, LedgerHead())
            return
        with closing(self._kept.scratch()) as rebuilt:
            yield Rebuilding(self._kept, rebuilt, known.head)

    def refresh(self) -> State:
        """Read new facts."""
        with self._lock:
            known = self._state
            seen = self.witnessed() if known is None else None
            state = known or EMPTY
            state = fold(self.following(state.head), state)
            if known is None:
                self.never_back(state.head, seen, state.chain)
            if known is None or known.head != state.head:
                self._note(state)
            self._state = state
            return state

    def append(
        self,
        payload: Payload | Callable[[State], Payload],
        environment: str | None = None,
        release: str | None = None,
        guard: Guard | None = None,
    ) -> Fact:
        """Append a fact. `guard`, and a payload that is a function, see the exact state that the fact will follow."""
        with self._lock:
            if self._glanced:
                self._state, self._glanced = None, False
            while True:
                state = self.state
                if guard is not None:
                    guard(state)
                fact_payload = payload(state) if callable(payload) else payload
                draft = FactDraft(fact_payload.kind, self.actor, environment, release, self._redacted(fact_payload.body()))
                now = self._clock.now()
                after = fold(
                    (seal(draft, state.head, now),), state
                )  # first: a fact that cannot be read back must never be written
                if (why := after.impossible.get(str(after.head.seq))) is not None:
                    raise LeaseLost(f"{fact_payload.kind} is not recorded: {why}; another run has written facts since")
                try:
                    fact = self.store.append(draft, state.head, now)
                except HeadMoved as error:
                    self._read_on(state.head, error)
                else:
                    self._state = after
                    if fact.kind is not Kind.STEP_DONE:  # it decides nothing, and the end of its promotion follows
                        self._note(after)
                    return fact

    def _redacted(self, body: dict[str, object]) -> dict[str, object]:
        return body | {key: redacted(body[key], self._redact) for key in FOR_PEOPLE if key in body}

    def plan_document(self, environment: str, plan_digest: str) -> Mapping[str, Any] | None:
        """Return a plan as a `requested` fact recorded it."""
        seq = self.state.environment(environment).plans.get(plan_digest)
        fact = next(iter(self.store.read(seq - 1)), None) if seq is not None else None
        plan = fact.body.get("plan") if fact is not None else None
        return plan if isinstance(plan, Mapping) else None

    def following(self, head: LedgerHead) -> Iterator[Fact]:
        """Yield the facts after `head`, each checked against the one before it, even if the store checks them too."""
        for fact in self.store.read(head.seq):
            problem = misfit(fact, head)
            if problem is not None:
                raise LedgerBroken(self.store.location, f"fact {fact.seq}: {problem}")
            head = head_of(fact)
            yield fact

    def witnessed(self) -> "Witnessed":
        """Return the trusted heads. Call it before the ledger is read: another process may read more meanwhile."""
        return Witnessed() if self._witness is None else Witnessed(self._witness.seen(), self._witness.entries())

    def never_back(self, head: LedgerHead, seen: "Witnessed | None", chain: str | None) -> None:
        """Raise LedgerError if facts that this machine has seen are missing or changed, at this location or in this chain.

        A ledger is also identified by its first fact, so that an old copy is detected under any name.
        """
        if seen is None:
            return
        self._not_behind(
            head, seen.local, "restore the complete ledger; to start a new one on purpose, delete .promoter/witness.json"
        )
        hint = "this is an old or incomplete copy: name the current ledger, or restore the complete one"
        self._not_behind(head, seen.known.get(chain or ""), hint)

    def _not_behind(self, head: LedgerHead, seen: LedgerHead | None, hint: str) -> None:
        if seen is None or seen.seq == 0 or seen == head:
            return
        there = next(iter(self.store.read(seen.seq - 1)), None) if seen.seq <= head.seq else None
        if there is None or head_of(there) != seen:
            what = f"ends with fact {head.seq}" if there is None else f"has another fact {seen.seq}"
            raise LedgerError(
                f"the ledger {self.store.location} {what}, but this machine has seen {seen.seq} facts: some were "
                "removed or replaced, maybe a reject",
                hint=hint,
            )

    def _note(self, state: State) -> None:
        if self._witness is not None and state.head.seq:
            self._witness.note(state.head, state.chain, state.policy_ref)

    def _read_on(self, head: LedgerHead, error: HeadMoved) -> None:
        if self.refresh().head == head:
            raise LedgerError(
                f"the ledger {self.store.location} has changed at its end: facts were removed or replaced",
                hint="run `promoter ledger verify` to see where; restore a backup or an export",
            ) from error


class Rebuilding:
    """Rebuilds the state cache of a long ledger from its facts, to compare both.

    It reads one portion at a time, so that the use of memory does not depend on the length of the ledger.
    """

    def __init__(self, kept: StateCache | None, rebuilt: StateCache | None, last: LedgerHead) -> None:
        self._kept, self._rebuilt, self._last = kept, rebuilt, last
        self._state, self._portion = EMPTY, list[Fact]()

    def take(self, fact: Fact) -> None:
        if fact.seq <= self._last.seq:
            self._portion.append(fact)
            if len(self._portion) == PORTION:
                self._fold()

    def differs(self) -> bool:
        """Return whether the state cache differs from the facts. If so, delete it."""
        self._fold()
        if self._kept is None or self._rebuilt is None or (self._state.head == self._last and self._kept.same(self._rebuilt)):
            return False
        self._kept.forget()
        return True

    def _fold(self) -> None:
        if self._rebuilt is not None and self._portion:
            self._state = fold(self._portion, self._state)
            self._portion.clear()
            self._rebuilt.save(self._state)
            saved = self._rebuilt.load()
            self._state = saved if saved is not None and saved.head == self._state.head else self._state
