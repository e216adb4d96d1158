"""Compute the state from facts, one fact at a time and one function per kind: pure, and fast for a long ledger.

`draft.py` holds the state while it changes; everything else is frozen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from promoter.ledger.attempts import ActivePromotion, PendingReview
from promoter.ledger.chain import Fact, Kind
from promoter.ledger.consistency import MALFORMED, Impossible, check, read_release
from promoter.ledger.deployment import Deployment
from promoter.ledger.draft import EnvironmentDraft, StateDraft
from promoter.ledger.readers import (
    mapping,
    not_restored,
    optional,
    read_back,
    read_deployment,
    read_drift,
    read_failure,
    read_mark,
    read_request,
    read_start,
    read_vote,
    sequence,
    text,
    texts,
)
from promoter.ledger.state import EMPTY, Barrier, Hold, ReleaseRecord, State
from promoter.model.errors import LedgerError
from promoter.model.statement import Decision


def fold(facts: Iterable[Fact], state: State = EMPTY) -> State:
    """Return the state after `facts`, which follow those of `state`. Raise LedgerError for an incomplete body.

    An impossible fact changes nothing but the list of impossible facts.
    """
    draft = StateDraft(state)
    last = None
    for fact in facts:
        try:
            check(fact, draft.releases.get, draft.active(fact))
            _FOLDS.get(fact.kind, _nothing)(draft, fact)
        except Impossible as why:
            draft.impossible.put(str(fact.seq), str(why))
        except MALFORMED as error:
            raise LedgerError(
                f"fact {fact.seq} ({fact.kind}) has an invalid body: {error}",
                hint="run `promoter ledger verify`; if the chain is complete, a newer promoter may have written it",
            ) from error
        last = fact
        if fact.seq == 1:
            draft.chain = fact.digest
    return state if last is None else draft.freeze(last)


# ---------------------------------------------------------------- releases and votes
def _released(draft: StateDraft, fact: Fact) -> None:
    if draft.pipeline is None and fact.body.get("pipeline") is not None:
        draft.pipeline = text(fact.body["pipeline"])
    key = text(fact.release)
    known = draft.releases.get(key)
    if known is None:
        known = ReleaseRecord(read_release(fact), fact.at, fact.seq, fact.actor, fact.seq, mapping(fact.body.get("tags") or {}))
    draft.releases.put(key, replace(known, order=fact.seq))
    if draft.salt is None and fact.body.get("salt") is not None:
        draft.salt = text(fact.body["salt"])


def _requested(draft: StateDraft, fact: Fact) -> None:
    entry, request = draft.entry(fact), read_request(fact)
    for name in ("asked", "pending", "waiting"):
        entry.table(name).put(request.release, fact.seq)
    entry.table("plans").put(request.plan_digest, fact.seq)
    if request.run is not None:
        before = entry.table("asked_by").get(request.run) or ()
        entry.table("asked_by").put(request.run, tuple(dict.fromkeys((*before, request.matter))))
    for gone in sequence(fact.body.get("supersedes") or ()):
        entry.table("waiting").remove(text(mapping(gone)["release"]))
    entry.request = request
    _note_policy(draft, fact)


def _note_policy(draft: StateDraft, fact: Fact) -> None:
    """Record the ref that fixed the policy of a fact: the file must name it from now on."""
    if fact.body.get("policy") is not None:
        draft.policy_ref = optional(mapping(fact.body["policy"])["ref"])


def _voted(draft: StateDraft, fact: Fact) -> None:
    vote = read_vote(fact, Decision.APPROVE if fact.kind is Kind.APPROVED else Decision.REJECT)
    entry = draft.entry(fact)
    entry.table("votes").put(vote.release, (*(entry.table("votes").get(vote.release) or ()), vote))
    entry.table("identities").put(vote.digest, vote.identity)


def _overridden(draft: StateDraft, fact: Fact) -> None:
    entry, vote = draft.entry(fact), read_vote(fact, Decision.OVERRIDE)
    entry.overrides = (*entry.overrides, vote)
    entry.table("identities").put(vote.digest, vote.identity)


def _attested(draft: StateDraft, fact: Fact) -> None:
    if fact.body.get("reviews") is not None:
        entry = draft.entry(fact)
        entry.reviews = (*entry.reviews, read_vote(fact, Decision.REVIEW))


def _pending_reviews(entry: EnvironmentDraft, start: ActivePromotion) -> tuple[PendingReview, ...]:
    """Return what must be reviewed: the overrides that this start used, if any."""
    votes = tuple(vote for vote in entry.overrides if vote.digest in start.consumed)
    if not votes:
        return entry.pending_reviews
    return (*entry.pending_reviews, PendingReview(votes, start.release, start.plan_digest, start.at))


def _vetoed(draft: StateDraft, fact: Fact) -> None:
    banned = (fact.release,) if fact.release is not None else ()
    for what in (*banned, *texts(fact.body.get("digests") or ())):
        if draft.vetoed.get(what) is None:
            draft.vetoed.put(what, read_mark(fact))


# ---------------------------------------------------------------- promotions
def _started(draft: StateDraft, fact: Fact) -> None:
    entry, start = draft.entry(fact), read_start(fact)
    entry.table("asked").put(start.release, fact.seq)
    for name in ("pending", "waiting"):
        entry.table(name).remove(start.release)
    _note_policy(draft, fact)
    before, asked = entry.start, entry.request
    if before is not None and before.promotion == start.promotion:
        start = replace(start, consumed=tuple(dict.fromkeys((*before.consumed, *start.consumed))))
    else:
        entry.steps = []
        entry.pending_reviews = _pending_reviews(entry, start)
    consumed = entry.table("consumed")
    for vote in start.consumed:
        identity = entry.table("identities").get(vote) or vote
        if consumed.get(identity) is None:
            consumed.put(identity, start.promotion)
    answered = asked is not None and (asked.release, asked.plan_digest) == (start.release, start.plan_digest)
    entry.start = start
    entry.request = None if answered else asked


def _step_done(draft: StateDraft, fact: Fact) -> None:
    draft.entry(fact).steps.append(text(fact.body["step"]))


def _promoted(draft: StateDraft, fact: Fact) -> None:
    entry = draft.entry(fact)
    deployment = read_deployment(fact, entry.current)
    entry.table("verified").put(str(fact.seq), deployment)
    entry.table("lived").put(deployment.release, fact.seq)
    changed = entry.current is None or entry.current.release != deployment.release
    pinned = entry.pinned
    if pinned is None and deployment.rollback:  # also if the run was interrupted before it recorded the pin
        pinned = Hold(text(fact.body.get("reason") or "rolled back"), fact.actor, fact.at, fact.seq)
    entry.current = deployment
    entry.since = fact.at
    entry.request = None if changed else entry.request
    entry.pinned = pinned
    _ended(draft, entry, fact)


def _failed(draft: StateDraft, fact: Fact) -> None:
    entry = draft.entry(fact)
    stays = entry.current is not None and not fact.body.get("left")
    entry.since = fact.at if stays else None
    entry.current = None if entry.current is None else not_restored(entry.current, fact.body)
    entry.last_failure = read_failure(fact)
    _ended(draft, entry, fact)


def _rolled_back(draft: StateDraft, fact: Fact) -> None:
    """Make the earlier deployment the current one again, with the containers that were read back."""
    entry, to = draft.entry(fact), optional(fact.body["to"])
    current = None if to is None else _earlier(entry, to, fact)
    entry.current = None if current is None else read_back(current, fact.body)
    entry.since = None if current is None else fact.at
    entry.last_failure = read_failure(fact)
    _ended(draft, entry, fact)


def _earlier(entry: EnvironmentDraft, release: str, fact: Fact) -> Deployment:
    current = entry.current
    if current is not None and current.release == release:
        return current
    found: Deployment | None = entry.table("verified").get(str(entry.table("lived").get(release)))
    if found is not None:
        return found
    return Deployment(text(fact.environment), release, "", "", fact.at, fact.seq, {})  # its plan is unknown


def _ended(draft: StateDraft, entry: EnvironmentDraft, fact: Fact) -> None:
    start = entry.start
    if start is not None and fact.body.get("irreversible"):
        _add_barrier(draft, entry, start.release, fact)
    if fact.body.get("touched") is False and start is not None:
        _give_back(entry, start)
    entry.ended_seq = fact.seq
    entry.start = None
    entry.drift = None
    entry.steps = []


def _add_barrier(draft: StateDraft, entry: EnvironmentDraft, release: str, fact: Fact) -> None:
    """Add a barrier, and leave out earlier ones that block only releases that this one blocks too."""
    made = draft.releases.get(release)
    if made is not None:
        barrier = Barrier(release, made.seq, texts(fact.body["irreversible"]), fact.at, fact.seq)
        entry.barriers = (*(one for one in entry.barriers if one.made_seq > made.seq), barrier)


def _give_back(entry: EnvironmentDraft, start: ActivePromotion) -> None:
    """Make votes available again, because nothing was done in the environment.

    Only the fact claims that, and anyone with write access to the ledger can write it. So a vote that was signed or
    imported stays used: it must never count twice. An asserted vote proves no more than this fact.
    """
    consumed = entry.table("consumed")
    for vote in start.consumed:
        if entry.table("identities").get(vote) in (None, vote) and consumed.get(vote) == start.promotion:
            consumed.remove(vote)


# ---------------------------------------------------------------- pins and freezes
def _pinned(draft: StateDraft, fact: Fact) -> None:
    draft.entry(fact).pinned = read_mark(fact) if fact.kind is Kind.PINNED else None


def _frozen(draft: StateDraft, fact: Fact) -> None:
    mark = read_mark(fact) if fact.kind is Kind.FROZEN else None
    if fact.environment is None:
        draft.frozen = mark
    else:
        draft.entry(fact).frozen = mark


def _drifted(draft: StateDraft, fact: Fact) -> None:
    """Start the stay again if something other than what was verified runs, or ran until now."""
    entry, found = draft.entry(fact), read_drift(fact)
    if entry.since is not None and any(one is not None and one.affects_service for one in (entry.drift, found)):
        entry.since = fact.at
    entry.drift = found


def _nothing(draft: StateDraft, fact: Fact) -> None:
    """Ignore a kind that is only reported."""


_FOLDS: Mapping[Kind, Callable[[StateDraft, Fact], None]] = {
    Kind.RELEASED: _released, Kind.REQUESTED: _requested, Kind.STARTED: _started, Kind.STEP_DONE: _step_done,
    Kind.PROMOTED: _promoted, Kind.FAILED: _failed, Kind.ROLLED_BACK: _rolled_back, Kind.APPROVED: _voted, Kind.REJECTED: _voted,
    Kind.VETOED: _vetoed, Kind.PINNED: _pinned, Kind.UNPINNED: _pinned, Kind.FROZEN: _frozen, Kind.UNFROZEN: _frozen,
    Kind.OVERRIDDEN: _overridden, Kind.ATTESTED: _attested, Kind.DRIFTED: _drifted,
}  # fmt: skip # several short pairs in a line
