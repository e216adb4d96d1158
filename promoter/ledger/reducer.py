"""Compute the state from facts, one fact at a time and one function per kind: pure, and fast for a long ledger.

During a fold the tables are open and grow in place; otherwise everything is frozen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from promoter.ledger.chain import Fact, Kind, head_of
from promoter.ledger.consistency import MALFORMED, Impossible, check, read_release
from promoter.ledger.readers import (
    mapping,
    optional,
    read_deployment,
    read_failure,
    read_mark,
    read_request,
    read_services,
    read_start,
    read_vote,
    sequence,
    text,
    texts,
)
from promoter.ledger.state import EMPTY, ActivePromotion, Deployment, EnvironmentState, Hold, PendingReview, ReleaseRecord, State
from promoter.ledger.table import Open
from promoter.model.errors import LedgerError
from promoter.model.statement import Decision


def fold(facts: Iterable[Fact], state: State = EMPTY) -> State:
    """Return the state after `facts`, which follow those of `state`. Raise LedgerError for an incomplete body.

    An impossible fact changes nothing but the list of impossible facts.
    """
    table = _Table(state)
    last = None
    for fact in facts:
        try:
            check(fact, table.releases.get, table.begun(fact))
            _FOLDS.get(fact.kind, _nothing)(table, fact)
        except Impossible as why:
            table.impossible.put(str(fact.seq), str(why))
        except MALFORMED as error:
            raise LedgerError(
                f"fact {fact.seq} ({fact.kind}) has an invalid body: {error}",
                hint="run `promoter ledger verify`; if the chain is complete, a newer promoter may have written it",
            ) from error
        last = fact
        if fact.seq == 1:
            table.chain = fact.digest
    return state if last is None else table.freeze(last)


class _Entry:
    """An environment during a fold: its state and its open tables."""

    def __init__(self, state: EnvironmentState) -> None:
        self.state = replace(state)
        self.steps = list(state.start.steps_done) if state.start else []
        self._open: dict[str, Open[Any]] = {}

    def set(self, **changes: Any) -> None:
        """Change the state in place. It is not shared before `freeze()`."""
        for name, value in changes.items():
            object.__setattr__(self.state, name, value)

    def table(self, name: str) -> Open[Any]:
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = Open(getattr(self.state, name))
        return found

    def freeze(self) -> EnvironmentState:
        start = replace(self.state.start, steps_done=tuple(self.steps)) if self.state.start else None
        tables: dict[str, Any] = {name: table.frozen() for name, table in self._open.items()}
        return replace(self.state, start=start, **tables)


@dataclass
class _Table:
    """A state during a fold. Only environments that change are opened."""

    state: State

    def __post_init__(self) -> None:
        self.salt, self.pipeline, self.frozen = self.state.salt, self.state.pipeline, self.state.frozen
        self.releases, self.vetoed = Open(self.state.releases), Open(self.state.vetoed)
        self.impossible = Open(self.state.impossible)
        self.policy_ref, self.chain = self.state.policy_ref, self.state.chain
        self.open: dict[str, _Entry] = {}

    def entry(self, fact: Fact) -> _Entry:
        name = text(fact.environment)
        entry = self.open.get(name)
        if entry is None:
            entry = self.open[name] = _Entry(self.state.environments.get(name, EnvironmentState()))
        return entry

    def begun(self, fact: Fact) -> ActivePromotion | None:
        entry = self.open.get(fact.environment or "")
        state = self.state.environments.get(fact.environment or "") if entry is None else entry.state
        return None if state is None else state.start

    def freeze(self, last: Fact) -> State:
        environments = {**self.state.environments, **{name: entry.freeze() for name, entry in self.open.items()}}
        return State(
            head_of(last),
            self.salt,
            self.pipeline,
            self.releases.frozen(),
            environments,
            self.vetoed.frozen(),
            self.frozen,
            self.policy_ref,
            self.impossible.frozen(),
            self.chain,
        )


# ---------------------------------------------------------------- releases and votes
def _released(table: _Table, fact: Fact) -> None:
    if table.pipeline is None and fact.body.get("pipeline") is not None:
        table.pipeline = text(fact.body["pipeline"])
    key = text(fact.release)
    known = table.releases.get(key)
    if known is None:
        known = ReleaseRecord(read_release(fact), fact.at, fact.seq, fact.actor, fact.seq, mapping(fact.body.get("tags") or {}))
    table.releases.put(key, replace(known, order=fact.seq))
    if table.salt is None and fact.body.get("salt") is not None:
        table.salt = text(fact.body["salt"])


def _requested(table: _Table, fact: Fact) -> None:
    entry, request = table.entry(fact), read_request(fact)
    for name in ("asked", "pending", "waiting"):
        entry.table(name).put(request.release, fact.seq)
    entry.table("plans").put(request.plan_digest, fact.seq)
    if request.run is not None:
        before = entry.table("asked_by").get(request.run) or ()
        entry.table("asked_by").put(request.run, tuple(dict.fromkeys((*before, request.matter))))
    for gone in sequence(fact.body.get("supersedes") or ()):
        entry.table("waiting").remove(text(mapping(gone)["release"]))
    entry.set(request=request)
    _note_policy(table, fact)


def _note_policy(table: _Table, fact: Fact) -> None:
    """Record the ref that fixed the policy of a fact: the file must name it from now on."""
    if fact.body.get("policy") is not None:
        table.policy_ref = optional(mapping(fact.body["policy"])["ref"])


def _voted(table: _Table, fact: Fact) -> None:
    vote = read_vote(fact, Decision.APPROVE if fact.kind is Kind.APPROVED else Decision.REJECT)
    entry = table.entry(fact)
    entry.table("votes").put(vote.release, (*(entry.table("votes").get(vote.release) or ()), vote))
    entry.table("identities").put(vote.digest, vote.identity)


def _overridden(table: _Table, fact: Fact) -> None:
    entry, vote = table.entry(fact), read_vote(fact, Decision.OVERRIDE)
    entry.set(overrides=(*entry.state.overrides, vote))
    entry.table("identities").put(vote.digest, vote.identity)


def _attested(table: _Table, fact: Fact) -> None:
    if fact.body.get("reviews") is not None:
        entry = table.entry(fact)
        entry.set(reviews=(*entry.state.reviews, read_vote(fact, Decision.REVIEW)))


def _owed(entry: _Entry, start: ActivePromotion) -> tuple[PendingReview, ...]:
    """Return what must be reviewed: the overrides that this start used, if any."""
    votes = tuple(vote for vote in entry.state.overrides if vote.digest in start.consumed)
    if not votes:
        return entry.state.owed
    return (*entry.state.owed, PendingReview(votes, start.release, start.plan_digest, start.at))


def _vetoed(table: _Table, fact: Fact) -> None:
    banned = (fact.release,) if fact.release is not None else ()
    for what in (*banned, *texts(fact.body.get("digests") or ())):
        if table.vetoed.get(what) is None:
            table.vetoed.put(what, read_mark(fact))


# ---------------------------------------------------------------- promotions
def _started(table: _Table, fact: Fact) -> None:
    entry, start = table.entry(fact), read_start(fact)
    entry.table("asked").put(start.release, fact.seq)
    for name in ("pending", "waiting"):
        entry.table(name).remove(start.release)
    _note_policy(table, fact)
    before, asked = entry.state.start, entry.state.request
    if before is not None and before.promotion == start.promotion:
        start = replace(start, consumed=tuple(dict.fromkeys((*before.consumed, *start.consumed))))
    else:
        entry.steps = []
        entry.set(owed=_owed(entry, start))
    consumed = entry.table("consumed")
    for vote in start.consumed:
        identity = entry.table("identities").get(vote) or vote
        if consumed.get(identity) is None:
            consumed.put(identity, start.promotion)
    answered = asked is not None and (asked.release, asked.plan_digest) == (start.release, start.plan_digest)
    entry.set(start=start, request=None if answered else asked)


def _step_done(table: _Table, fact: Fact) -> None:
    table.entry(fact).steps.append(text(fact.body["step"]))


def _promoted(table: _Table, fact: Fact) -> None:
    entry, deployment = table.entry(fact), read_deployment(fact)
    entry.table("verified").put(str(fact.seq), deployment)
    entry.table("lived").put(deployment.release, fact.seq)
    changed = entry.state.current is None or entry.state.current.release != deployment.release
    pinned = entry.state.pinned
    if pinned is None and deployment.rollback:  # also if the run was interrupted before it recorded the pin
        pinned = Hold(text(fact.body.get("reason") or "rolled back"), fact.actor, fact.at, fact.seq)
    entry.set(current=deployment, since=fact.at, request=None if changed else entry.state.request, pinned=pinned)
    _ended(entry, fact)


def _failed(table: _Table, fact: Fact) -> None:
    entry = table.entry(fact)
    stays = entry.state.current is not None and not fact.body.get("left")
    entry.set(since=fact.at if stays else None, last_failure=read_failure(fact))
    _ended(entry, fact)


def _rolled_back(table: _Table, fact: Fact) -> None:
    """Make the earlier deployment the current one again, with the containers that were read back."""
    entry, to = table.entry(fact), optional(fact.body["to"])
    current = None if to is None else _earlier(entry, to, fact)
    read_back = fact.body.get("services")
    if current is not None and read_back:
        current = replace(current, services={**current.services, **read_services(read_back)})
    entry.set(current=current, since=None if current is None else fact.at, last_failure=read_failure(fact))
    _ended(entry, fact)


def _earlier(entry: _Entry, release: str, fact: Fact) -> Deployment:
    current = entry.state.current
    if current is not None and current.release == release:
        return current
    found: Deployment | None = entry.table("verified").get(str(entry.table("lived").get(release)))
    if found is not None:
        return found
    return Deployment(text(fact.environment), release, "", "", fact.at, fact.seq, {})  # its plan is unknown


def _ended(entry: _Entry, fact: Fact) -> None:
    start = entry.state.start
    if fact.body.get("touched") is False and start is not None:
        _give_back(entry, start)
    entry.set(ended_seq=fact.seq, start=None)
    entry.steps = []


def _give_back(entry: _Entry, start: ActivePromotion) -> None:
    """Make votes available again, because nothing was done in the environment.

    Only the fact claims that, and anyone with write access to the ledger can write it. So a vote that was signed or
    imported stays used: it must never count twice. An asserted vote proves no more than this fact.
    """
    consumed = entry.table("consumed")
    for vote in start.consumed:
        if entry.table("identities").get(vote) in (None, vote) and consumed.get(vote) == start.promotion:
            consumed.remove(vote)


# ---------------------------------------------------------------- pins and freezes
def _pinned(table: _Table, fact: Fact) -> None:
    table.entry(fact).set(pinned=read_mark(fact) if fact.kind is Kind.PINNED else None)


def _frozen(table: _Table, fact: Fact) -> None:
    mark = read_mark(fact) if fact.kind is Kind.FROZEN else None
    if fact.environment is None:
        table.frozen = mark
    else:
        table.entry(fact).set(frozen=mark)


def _drifted(table: _Table, fact: Fact) -> None:
    """Start the stay again: what runs there is not what was verified."""
    entry = table.entry(fact)
    entry.set(since=fact.at if entry.state.since is not None else None)


def _nothing(table: _Table, fact: Fact) -> None:
    """Ignore a kind that is only reported."""


_FOLDS: Mapping[Kind, Callable[[_Table, Fact], None]] = {
    Kind.RELEASED: _released, Kind.REQUESTED: _requested, Kind.STARTED: _started, Kind.STEP_DONE: _step_done,
    Kind.PROMOTED: _promoted, Kind.FAILED: _failed, Kind.ROLLED_BACK: _rolled_back, Kind.APPROVED: _voted, Kind.REJECTED: _voted,
    Kind.VETOED: _vetoed, Kind.PINNED: _pinned, Kind.UNPINNED: _pinned, Kind.FROZEN: _frozen, Kind.UNFROZEN: _frozen,
    Kind.OVERRIDDEN: _overridden, Kind.ATTESTED: _attested, Kind.DRIFTED: _drifted,
}  # fmt: skip
