"""A state while facts are folded into it. It can change until it is frozen; only the reducer has it before that."""

from dataclasses import replace
from typing import Any

from promoter.ledger.attempts import ActivePromotion
from promoter.ledger.chain import Fact, head_of
from promoter.ledger.readers import text
from promoter.ledger.state import EnvironmentState, State
from promoter.ledger.table import Open


class EnvironmentDraft:
    """One environment. The fields are those of EnvironmentState; its tables are opened when they are used."""

    def __init__(self, base: EnvironmentState) -> None:
        self._base = base
        self._open: dict[str, Open[Any]] = {}
        self.current, self.since = base.current, base.since
        self.request, self.start = base.request, base.start
        self.steps = list(base.start.steps_done) if base.start else []
        self.ended_seq, self.last_failure = base.ended_seq, base.last_failure
        self.pinned, self.frozen, self.drift = base.pinned, base.frozen, base.drift
        self.overrides, self.pending_reviews, self.reviews = base.overrides, base.pending_reviews, base.reviews
        self.barriers = base.barriers

    def table(self, name: str) -> Open[Any]:
        """Return the table that has this name in EnvironmentState."""
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = Open(getattr(self._base, name))
        return found

    def freeze(self) -> EnvironmentState:
        tables: dict[str, Any] = {name: table.frozen() for name, table in self._open.items()}
        return replace(
            self._base,
            current=self.current,
            since=self.since,
            request=self.request,
            start=replace(self.start, steps_done=tuple(self.steps)) if self.start else None,
            ended_seq=self.ended_seq,
            last_failure=self.last_failure,
            pinned=self.pinned,
            frozen=self.frozen,
            drift=self.drift,
            overrides=self.overrides,
            pending_reviews=self.pending_reviews,
            reviews=self.reviews,
            barriers=self.barriers,
            **tables,
        )


class StateDraft:
    """The state of a ledger. Only environments that change are opened."""

    def __init__(self, base: State) -> None:
        self._base = base
        self._environments: dict[str, EnvironmentDraft] = {}
        self.salt, self.pipeline, self.frozen = base.salt, base.pipeline, base.frozen
        self.policy_ref, self.chain = base.policy_ref, base.chain
        self.releases, self.vetoed, self.impossible = Open(base.releases), Open(base.vetoed), Open(base.impossible)

    def entry(self, fact: Fact) -> EnvironmentDraft:
        """Return the environment that the fact names."""
        name = text(fact.environment)
        entry = self._environments.get(name)
        if entry is None:
            entry = self._environments[name] = EnvironmentDraft(self._base.environments.get(name, EnvironmentState()))
        return entry

    def active(self, fact: Fact) -> ActivePromotion | None:
        """Return the promotion that was started in the environment of the fact and has not ended."""
        name = fact.environment or ""
        state = self._environments.get(name) or self._base.environments.get(name)
        return None if state is None else state.start

    def freeze(self, last: Fact) -> State:
        """Return the state after `last`."""
        changed = {name: entry.freeze() for name, entry in self._environments.items()}
        return State(
            head_of(last),
            self.salt,
            self.pipeline,
            self.releases.frozen(),
            {**self._base.environments, **changed},
            self.vetoed.frozen(),
            self.frozen,
            self.policy_ref,
            self.impossible.frozen(),
            self.chain,
        )
