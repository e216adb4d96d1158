"""The one way facts are read and written while a command runs: a ledger, and the state that its facts fold to.

Several threads may share a ledger. Whoever writes after somebody else reads first what the other wrote, and is
asked to judge again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from promoter.ledger.chain import Fact, FactDraft, LedgerHead, head_of, misfit, seal
from promoter.ledger.facts import Payload
from promoter.ledger.reducer import fold
from promoter.ledger.state import EMPTY, State
from promoter.ledger.store import LedgerStore, StateCache, TrustedHead
from promoter.model.clock import Clock
from promoter.model.errors import HeadMoved, LeaseLost, LedgerBroken, LedgerError
from promoter.model.redaction import Redact, redacted, unchanged

LONG = 2000
"""Facts that are folded quicker than a kept state is read and written: shorter ledgers have none."""
PORTION = 10_000
"""Facts that are folded at once when all of them are."""
FOR_PEOPLE = ("reason", "reasons", "evidence", "detail", "gates")
"""Keys of facts whose texts were put together from what engines, programs and people said."""
Guard = Callable[[State], None]
"""Looks at the very state that a fact will follow, and raises where the fact must not be written."""


@dataclass(frozen=True)
class LedgerView:
    """A ledger as it was: nothing is written to it."""

    state: State

    @property
    def policy_refs(self) -> tuple[str | None, ...]:
        return (self.state.policy_ref,)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What was seen from here before: of the ledger at this place, and of every ledger under its chain."""

    here: LedgerHead | None = None
    known: Mapping[str, LedgerHead] = field(default_factory=dict)


class Ledger:
    """Facts under the name of `actor`."""

    def __init__(
        self,
        store: LedgerStore,
        clock: Clock,
        actor: str,
        witness: TrustedHead | None = None,
        kept: StateCache | None = None,
        redact: Redact = unchanged,
    ) -> None:
        """`redact` takes the values of secrets out of what is written for people to read."""
        self.store, self.actor, self._redact = store, actor, redact
        self._clock, self._witness, self._kept = clock, witness, kept
        self._lock = threading.RLock()
        self._state: State | None = None
        self._glanced = False

    @property
    def state(self) -> State:
        """As of the last reading or writing; the first use reads."""
        state = self._state
        return self.refresh() if state is None else state

    @property
    def policy_refs(self) -> tuple[str | None, ...]:
        """The refs that hold the policy as far as anybody here knows: this ledger, and the one that was used before it."""
        return self.state.policy_ref, self._witness.policy_ref() if self._witness is not None else None

    def glance(self) -> State:
        """Enough to look at things: the facts are read from where a kept state ends. Whoever acts then reads them all."""
        with self._lock:
            if self._kept is None or self._state is not None:
                return self.refresh()
            seen, known = self.witnessed(), self._kept.load()
            if known is not None and not self._stands(known.head):
                self._kept.forget()
                known = None
            begun = known or EMPTY
            state = fold(self.following(begun.head), begun)
            self.never_back(state.head, seen, state.chain)
            self._note(state)
            if state.head.seq - begun.head.seq >= LONG:
                self._kept.save(state)
            self._state, self._glanced = state, known is not None
            return state

    def _stands(self, head: LedgerHead) -> bool:
        there = next(iter(self.store.read(head.seq - 1)), None)
        return there is not None and head_of(there) == head

    @contextmanager
    def rebuilding(self) -> "Iterator[Rebuilding]":
        """To be given every fact from the first, as whoever checks the chain reads them."""
        known = self._kept.load() if self._kept is not None else None
        if self._kept is None or known is None:
            yield Rebuilding(None, None, LedgerHead())
            return
        with closing(self._kept.beside()) as anew:
            yield Rebuilding(self._kept, anew, known.head)

    def refresh(self) -> State:
        """Reads what is new."""
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
        """Append a fact. `guard`, and a payload that is a function, see the very state that the fact will follow."""
        with self._lock:
            if self._glanced:
                self._state, self._glanced = None, False
            while True:
                state = self.state
                if guard is not None:
                    guard(state)
                said = payload(state) if callable(payload) else payload
                draft = FactDraft(said.kind, self.actor, environment, release, self._redacted(said.body()))
                now = self._clock.now()
                after = fold((seal(draft, state.head, now),), state)  # first: what cannot be read back must never be written
                if (why := after.impossible.get(str(after.head.seq))) is not None:
                    raise LeaseLost(f"{said.kind} is not recorded: {why}; another run has written on since")
                try:
                    fact = self.store.append(draft, state.head, now)
                except HeadMoved as error:
                    self._read_on(state.head, error)
                else:
                    self._state = after
                    self._note(after)
                    return fact

    def _redacted(self, body: dict[str, object]) -> dict[str, object]:
        return body | {key: redacted(body[key], self._redact) for key in FOR_PEOPLE if key in body}

    def plan_document(self, environment: str, plan_digest: str) -> Mapping[str, Any] | None:
        """A plan as a `requested` fact recorded it."""
        seq = self.state.environment(environment).plans.get(plan_digest)
        fact = next(iter(self.store.read(seq - 1)), None) if seq is not None else None
        plan = fact.body.get("plan") if fact is not None else None
        return plan if isinstance(plan, Mapping) else None

    def following(self, head: LedgerHead) -> Iterator[Fact]:
        """The facts after `head`, each checked against the one before it, whatever the ledger's home checks."""
        for fact in self.store.read(head.seq):
            problem = misfit(fact, head)
            if problem is not None:
                raise LedgerBroken(self.store.location, f"fact {fact.seq}: {problem}")
            head = head_of(fact)
            yield fact

    def witnessed(self) -> "Witnessed":
        """What was seen here before. To be asked before the ledger is read: another process may see more meanwhile."""
        return Witnessed() if self._witness is None else Witnessed(self._witness.seen(), self._witness.entries())

    def never_back(self, head: LedgerHead, seen: "Witnessed | None", chain: str | None) -> None:
        """Raises LedgerError when facts that were seen here before are gone, or are others now: here, or of this chain.

        A ledger is known by its first fact too, so that an old copy of it is noticed under whatever name it comes.
        """
        if seen is None:
            return
        self._not_behind(
            head, seen.here, "put the whole ledger back; if it was meant to begin anew, delete .promoter/witness.json"
        )
        hint = "this is an old copy, or one that was not finished: name the ledger that goes on, or put the whole ledger back"
        self._not_behind(head, seen.known.get(chain or ""), hint)

    def _not_behind(self, head: LedgerHead, seen: LedgerHead | None, hint: str) -> None:
        if seen is None or seen.seq == 0 or seen == head:
            return
        there = next(iter(self.store.read(seen.seq - 1)), None) if seen.seq <= head.seq else None
        if there is None or head_of(there) != seen:
            what = f"ends with fact {head.seq}" if there is None else f"holds another fact {seen.seq}"
            raise LedgerError(
                f"the ledger {self.store.location} {what}, and {seen.seq} facts were seen from here before: some were taken "
                "away or replaced, and a reject may be among them",
                hint=hint,
            )

    def _note(self, state: State) -> None:
        if self._witness is not None and state.head.seq:
            self._witness.note(state.head, state.chain, state.policy_ref)

    def _read_on(self, head: LedgerHead, error: HeadMoved) -> None:
        if self.refresh().head == head:
            raise LedgerError(
                f"the ledger {self.store.location} no longer ends as it did: facts were taken away or replaced",
                hint="`promoter ledger verify` shows where; a backup or an export can take its place",
            ) from error


class Rebuilding:
    """What is kept of a long ledger, made anew from its facts beside it.

    A portion at a time: however long the ledger is, memory holds no more of it than that.
    """

    def __init__(self, kept: StateCache | None, anew: StateCache | None, last: LedgerHead) -> None:
        self._kept, self._anew, self._last = kept, anew, last
        self._state, self._portion = EMPTY, list[Fact]()

    def take(self, fact: Fact) -> None:
        if fact.seq <= self._last.seq:
            self._portion.append(fact)
            if len(self._portion) == PORTION:
                self._fold()

    def differs(self) -> bool:
        """Whether what is kept says anything else than the facts that were taken. It is thrown away then."""
        self._fold()
        if self._kept is None or self._anew is None or (self._state.head == self._last and self._kept.same(self._anew)):
            return False
        self._kept.forget()
        return True

    def _fold(self) -> None:
        if self._anew is not None and self._portion:
            self._state = fold(self._portion, self._state)
            self._portion.clear()
            self._anew.save(self._state)
            saved = self._anew.load()
            self._state = saved if saved is not None and saved.head == self._state.head else self._state
