"""From facts to state, a fact at a time and one function per kind: pure, and quick over a long ledger.

Inside a fold the tables are open and grow in place; outside everything is frozen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from promoter.gates.case import Vote
from promoter.model.errors import LedgerError
from promoter.model.facts import Fact, Kind, head_of, read_stamp
from promoter.model.release import Release
from promoter.model.statement import Decision, Envelope
from promoter.state import EMPTY, Deployment, EnvironmentState, Failure, Mark, Owed, ReleaseRecord, Request, Running, Start, State


def fold(facts: Iterable[Fact], state: State = EMPTY) -> State:
    """The state after `facts`, which follow those that made `state`. Raises LedgerError for a body that says too little."""
    table = _Table(state)
    last = None
    for fact in facts:
        try:
            _FOLDS.get(fact.kind, _nothing)(table, fact)
        except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            raise LedgerError(
                f"fact {fact.seq} ({fact.kind}) does not hold what it should: {error}",
                hint="see `promoter ledger verify`; when the chain is whole, a newer promoter may have written it",
            ) from error
        last = fact
    return state if last is None else table.freeze(last)


class _Entry:
    """An environment while facts are folded into it: its state, and the parts that grow."""

    def __init__(self, state: EnvironmentState) -> None:
        self.state = state
        self.verified = list(state.verified)
        self.votes = list(state.votes)
        self.consumed = dict(state.consumed)
        self.identities = {vote.digest: vote.identity for vote in (*state.votes, *state.overrides)}
        self.steps = list(state.start.steps_done) if state.start else []

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def freeze(self) -> EnvironmentState:
        start = replace(self.state.start, steps_done=tuple(self.steps)) if self.state.start else None
        return replace(self.state, verified=tuple(self.verified), votes=tuple(self.votes), consumed=self.consumed, start=start)


@dataclass
class _Table:
    """A state while facts are folded into it. Only the environments that are touched are opened."""

    state: State

    def __post_init__(self) -> None:
        self.salt, self.pipeline, self.frozen = self.state.salt, self.state.pipeline, self.state.frozen
        self.releases = dict(self.state.releases)
        self.votes = list(self.state.votes)
        self.vetoed = set(self.state.vetoed)
        self.open: dict[str, _Entry] = {}

    def entry(self, fact: Fact) -> _Entry:
        name = _text(fact.environment)
        entry = self.open.get(name)
        if entry is None:
            entry = self.open[name] = _Entry(self.state.environments.get(name, EnvironmentState()))
        return entry

    def freeze(self, last: Fact) -> State:
        environments = {**self.state.environments, **{name: entry.freeze() for name, entry in self.open.items()}}
        return State(
            head_of(last),
            self.salt,
            self.pipeline,
            self.releases,
            environments,
            tuple(self.votes),
            frozenset(self.vetoed),
            self.frozen,
        )


# ---------------------------------------------------------------- releases and votes
def _released(table: _Table, fact: Fact) -> None:
    key = _text(fact.release)
    known = table.releases.pop(key, None)
    if known is None:
        release = Release.read(_mapping(fact.body["content"]))
        known = ReleaseRecord(release, fact.at, fact.seq, fact.actor, _mapping(fact.body.get("tags") or {}))
    table.releases[key] = known
    if table.pipeline is None and fact.body.get("pipeline") is not None:
        table.pipeline = _text(fact.body["pipeline"])
    if table.salt is None and fact.body.get("salt") is not None:
        table.salt = _text(fact.body["salt"])


def _requested(table: _Table, fact: Fact) -> None:
    body = fact.body
    request = Request(
        _text(fact.environment), _text(fact.release), _text(body["plan_digest"]), _optional(body["from"]),
        _text(body["policy_digest"]),
        _text(body["requested_by"]), fact.at, fact.seq, _mapping(body["plan"]),
        _text(body["reason_code"]), _texts(body["reasons"]),
    )  # fmt: skip
    table.entry(fact).set(request=request)


def _voted(table: _Table, fact: Fact) -> None:
    vote = _vote(fact, Decision.APPROVE if fact.kind is Kind.APPROVED else Decision.REJECT)
    entry = table.entry(fact)
    table.votes.append(vote)
    entry.votes.append(vote)
    entry.identities[vote.digest] = vote.identity


def _overridden(table: _Table, fact: Fact) -> None:
    entry, vote = table.entry(fact), _vote(fact, Decision.OVERRIDE)
    entry.set(overrides=(*entry.state.overrides, vote))
    entry.identities[vote.digest] = vote.identity


def _attested(table: _Table, fact: Fact) -> None:
    if fact.body.get("reviews") is not None:
        entry = table.entry(fact)
        entry.set(reviews=(*entry.state.reviews, _vote(fact, Decision.REVIEW)))


def _owed(entry: _Entry, start: Start) -> tuple[Owed, ...]:
    """What is to be reviewed, with the overrides that this start rests on, if it does."""
    votes = tuple(vote for vote in entry.state.overrides if vote.digest in start.consumed)
    if not votes:
        return entry.state.owed
    return (*entry.state.owed, Owed(votes, start.release, start.plan_digest, start.at))


def _vote(fact: Fact, decision: str) -> Vote:
    body, expires = fact.body, _optional(fact.body.get("expires_at"))
    return Vote(
        decision=decision,
        principal=_text(body["principal"]),
        role=_optional(body.get("role")),
        grade=_text(body["grade"]),
        environment=_text(fact.environment),
        release=_text(fact.release),
        plan_digest=_text(body["plan_digest"]),
        from_release=_optional(body["from"]),
        policy_digest=_text(body["policy_digest"]),
        at=fact.at,
        expires_at=read_stamp(expires) if expires else None,
        comment=_optional(body.get("comment")) or "",
        seq=fact.seq,
        digest=fact.digest,
        prev=fact.prev,
        envelope=_envelope(body.get("envelope")),
        reviews=_optional(body.get("reviews")),
    )


def _envelope(value: object) -> Envelope | None:
    return None if value is None else Envelope(_text(_mapping(value)["statement"]), _text(_mapping(value)["signature"]))


def _vetoed(table: _Table, fact: Fact) -> None:
    if fact.release is not None:
        table.vetoed.add(fact.release)
    table.vetoed.update(_texts(fact.body.get("digests") or ()))


# ---------------------------------------------------------------- promotions
def _started(table: _Table, fact: Fact) -> None:
    entry, body = table.entry(fact), fact.body
    start = Start(
        _text(fact.environment), _text(fact.release), _text(body["plan_digest"]), _text(body["promotion"]),
        _texts(body["approvals"]), fact.at, fact.seq, bool(body["mend"]),
    )  # fmt: skip
    before, asked = entry.state.start, entry.state.request
    if before is None or before.promotion != start.promotion:
        entry.steps = []
        entry.set(owed=_owed(entry, start))
    for vote in start.consumed:
        entry.consumed.setdefault(entry.identities.get(vote, vote), start.promotion)
    answered = asked is not None and (asked.release, asked.plan_digest) == (start.release, start.plan_digest)
    entry.set(start=start, request=None if answered else asked)


def _step_done(table: _Table, fact: Fact) -> None:
    entry = table.entry(fact)
    if entry.state.start is not None and entry.state.start.promotion == fact.body["promotion"]:
        entry.steps.append(_text(fact.body["step"]))


def _promoted(table: _Table, fact: Fact) -> None:
    entry, body = table.entry(fact), fact.body
    engine = body.get("engine")
    deployment = Deployment(
        _text(fact.environment), _text(fact.release), _text(body["plan_digest"]), _text(body["promotion"]), fact.at, fact.seq,
        _services(body["services"]), bool(body["mend"]), bool(body.get("rollback")),
        _text(_mapping(engine)["fingerprint"]) if engine else None,
    )  # fmt: skip
    entry.verified.append(deployment)
    changed = entry.state.current is None or entry.state.current.release != deployment.release
    entry.set(current=deployment, since=fact.at, request=None if changed else entry.state.request)
    _ended(entry, fact)


def _failed(table: _Table, fact: Fact) -> None:
    entry = table.entry(fact)
    stays = entry.state.current is not None and not fact.body.get("left")
    entry.set(since=fact.at if stays else None, last_failure=_failure(fact))
    _ended(entry, fact)


def _rolled_back(table: _Table, fact: Fact) -> None:
    """The earlier deployment is the current one again, with the containers that were read back."""
    entry, to = table.entry(fact), _optional(fact.body["to"])
    current = None if to is None else _earlier(entry, to, fact)
    read_back = fact.body.get("services")
    if current is not None and read_back:
        current = replace(current, services={**current.services, **_services(read_back)})
    entry.set(current=current, since=None if current is None else fact.at, last_failure=_failure(fact))
    _ended(entry, fact)


def _earlier(entry: _Entry, release: str, fact: Fact) -> Deployment:
    current = entry.state.current
    if current is not None and current.release == release:
        return current
    for deployment in reversed(entry.verified):
        if deployment.release == release:
            return deployment
    return Deployment(_text(fact.environment), release, "", "", fact.at, fact.seq, {})  # its plan is known to nobody


def _ended(entry: _Entry, fact: Fact) -> None:
    """Only its own promotion's ending ends a start: a run that lost its lease may still record how it failed."""
    start = entry.state.start
    ends = start is not None and start.promotion == fact.body["promotion"]
    entry.set(ended_seq=fact.seq, start=None if ends else start)
    if ends:
        entry.steps = []


def _failure(fact: Fact) -> Failure:
    body = fact.body
    return Failure(
        fact.kind, _text(fact.release), _text(body["plan_digest"]), fact.at, fact.seq,
        _text(body["reason_code"]), _texts(body["reasons"]),
    )  # fmt: skip


# ---------------------------------------------------------------- pins and freezes
def _pinned(table: _Table, fact: Fact) -> None:
    table.entry(fact).set(pinned=_mark(fact) if fact.kind is Kind.PINNED else None)


def _frozen(table: _Table, fact: Fact) -> None:
    mark = _mark(fact) if fact.kind is Kind.FROZEN else None
    if fact.environment is None:
        table.frozen = mark
    else:
        table.entry(fact).set(frozen=mark)


def _mark(fact: Fact) -> Mark:
    return Mark(_text(fact.body["reason"]), fact.actor, fact.at, fact.seq)


def _nothing(table: _Table, fact: Fact) -> None:
    """Kinds that are told and change nothing."""


_FOLDS: Mapping[Kind, Callable[[_Table, Fact], None]] = {
    Kind.RELEASED: _released, Kind.REQUESTED: _requested, Kind.STARTED: _started, Kind.STEP_DONE: _step_done,
    Kind.PROMOTED: _promoted, Kind.FAILED: _failed, Kind.ROLLED_BACK: _rolled_back, Kind.APPROVED: _voted, Kind.REJECTED: _voted,
    Kind.VETOED: _vetoed, Kind.PINNED: _pinned, Kind.UNPINNED: _pinned, Kind.FROZEN: _frozen, Kind.UNFROZEN: _frozen,
    Kind.OVERRIDDEN: _overridden, Kind.ATTESTED: _attested,
}  # fmt: skip


# ---------------------------------------------------------------- reading bodies
def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is due where {value!r} stands")
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is due where {value!r} stands")
    return tuple(_text(one) for one in value)


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"a mapping is due where {value!r} stands")
    return value


def _services(value: object) -> dict[str, Running]:
    return {
        name: Running(_optional(_mapping(one)["digest"]), _texts(_mapping(one)["containers"]))
        for name, one in _mapping(value).items()
    }
