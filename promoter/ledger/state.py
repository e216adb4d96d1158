"""The state: what is deployed where, as frozen values. `reducer.py` computes them from facts."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime
from itertools import takewhile

from promoter.ledger.attempts import ActivePromotion, Failure, PendingReview, PromotionRequest
from promoter.ledger.chain import LedgerHead
from promoter.ledger.deployment import Deployment
from promoter.ledger.table import PersistentTable, empty
from promoter.model.dataclass import dataclass
from promoter.model.release import Release
from promoter.model.vote import Vote


@dataclass(frozen=True)
class Hold:
    """A pin or a freeze: who set it, and why."""

    reason: str
    actor: str
    at: datetime
    seq: int


@dataclass(frozen=True)
class Barrier:
    """A promotion that has run irreversible jobs. `made_seq` is the first record of its release: older ones are behind it."""

    release: str
    made_seq: int
    jobs: tuple[str, ...]
    at: datetime
    seq: int


@dataclass(frozen=True)
class Drift:
    """The drift that was recorded last and has not ended. `findings` is their digest, to recognise the same findings again."""

    findings: str
    at: datetime
    seq: int
    affects_service: bool
    """Whether something other than what was verified ran."""


@dataclass(frozen=True)
class ReleaseRecord:
    """A release, when it was first recorded, and its tags, which are only shown.

    `order` is the sequence number of its last record: a release that is made again is the newest again.
    """

    release: Release
    at: datetime
    seq: int
    actor: str
    order: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EnvironmentState:
    """One environment.

    `since` is the start of the uninterrupted stay of `current`: each failure, repair and replacement starts a new one, and
    there is none while a failed release is left in place.
    """

    current: Deployment | None = None
    since: datetime | None = None
    request: PromotionRequest | None = None
    start: ActivePromotion | None = None
    """The promotion that was started and has not ended: it is running, or was interrupted."""
    ended_seq: int = 0
    """Sequence number of the last promoted, failed or rolled_back here."""
    last_failure: Failure | None = None
    """The latest failure, at any time: compare its `seq` with that of `current`."""
    pinned: Hold | None = None
    frozen: Hold | None = None
    drift: Drift | None = None
    """A promotion, a repair, or a comparison without findings ends it."""
    overrides: tuple[Vote, ...] = ()
    pending_reviews: tuple[PendingReview, ...] = ()
    """Every override that was used here, also reviewed ones."""
    reviews: tuple[Vote, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    """The latest last. A barrier that blocks no release that a later one does not block is left out."""
    verified: PersistentTable[Deployment] = field(default_factory=empty)
    """Every verified promotion, by its sequence number."""
    lived: PersistentTable[int] = field(default_factory=empty)
    """Maps every release that was verified here to the sequence number of its last verified promotion."""
    asked: PersistentTable[int] = field(default_factory=empty)
    """Maps every release that was requested or started here to the sequence number of the last such fact."""
    pending: PersistentTable[int] = field(default_factory=empty)
    """Releases that were requested and not started since."""
    waiting: PersistentTable[int] = field(default_factory=empty)
    """Of these, the releases that no other release has superseded."""
    plans: PersistentTable[int] = field(default_factory=empty)
    """Maps the digest of each requested plan to the sequence number of its last request."""
    asked_by: PersistentTable[tuple[str, ...]] = field(default_factory=empty)
    """Maps every CI run with a request to what it requested (`Request.matter`), each once."""
    votes: PersistentTable[tuple[Vote, ...]] = field(default_factory=empty)
    """Approvals and rejects by release."""
    identities: PersistentTable[str] = field(default_factory=empty)
    """Maps the digest of each fact with a vote to the identity of the vote (`Vote.identity`)."""
    consumed: PersistentTable[str] = field(default_factory=empty)
    """Maps the identity of each used vote to the promotion that used it first."""

    def votes_for(self, release: str) -> tuple[Vote, ...]:
        return self.votes.get(release) or ()

    def recent(self) -> tuple[str, ...]:
        """Return the releases whose images must be kept: the current one and the one before it."""
        current = self.current.release if self.current else None
        before = next((d.release for _, d in self.verified.backwards() if d.release != current), None)
        return tuple(release for release in (current, before) if release is not None)

    @property
    def unfinished_rollback(self) -> Hold | None:
        """Return the pin of a rollback that was interrupted before it recorded the pin: the promotion counts as the pin."""
        return self.pinned if self.pinned and self.current and self.pinned.seq == self.current.seq else None

    def used_by_others(self, votes: Iterable[Vote], promotion: str) -> frozenset[str]:
        """Return those of `votes` that are used up for `promotion`, by identity.

        A promotion that resumes after an interruption may use its own votes again.
        """
        known = {vote.identity for vote in votes}
        return frozenset(one for one in known if self.consumed.get(one) not in (None, promotion))


_NOWHERE = EnvironmentState()


@dataclass(frozen=True)
class State:
    """The state after all facts up to `head`."""

    head: LedgerHead = field(default_factory=LedgerHead)
    salt: str | None = None
    pipeline: str | None = None
    """The pipeline of this ledger, from its first release."""
    releases: PersistentTable[ReleaseRecord] = field(default_factory=empty)
    """In order of their records; a release that is made again moves to the end."""
    environments: Mapping[str, EnvironmentState] = field(default_factory=dict)
    """Environments that facts name. `environment()` accepts every name, and includes freezes of all environments."""
    vetoed: PersistentTable[Hold] = field(default_factory=empty)
    """Vetoed ids of releases and digests of images: who vetoed them first, and why."""
    frozen: Hold | None = None
    """A freeze of all environments."""
    policy_ref: str | None = None
    """The git ref that the file named for its policy when it was last used."""
    impossible: PersistentTable[str] = field(default_factory=empty)
    """The impossible facts that were ignored, by sequence number, and why."""
    chain: str | None = None
    """The digest of the first fact, which identifies this ledger at any location."""

    def newest(self) -> ReleaseRecord | None:
        return next((record for _, record in self.releases.backwards()), None)

    def matching(self, prefix: str) -> tuple[ReleaseRecord, ...]:
        """Return the releases whose id has this prefix."""
        return tuple(record for _, record in self.releases.starting_with(prefix))

    def after(self, release: str) -> list[str]:
        """Return the releases that were recorded later, in order; none if the release is unknown."""
        record = self.releases.get(release)
        if record is None:
            return []
        later = takewhile(lambda row: row[1].order > record.order, self.releases.backwards())
        return [key for key, _ in later][::-1]

    def is_older(self, release: str, other: str) -> bool:
        """Return whether it was last recorded before `other`, if both are known."""
        one, two = self.releases.get(release), self.releases.get(other)
        return one is not None and two is not None and one.order < two.order

    def environment(self, name: str) -> EnvironmentState:
        entry = self.environments.get(name, _NOWHERE)
        return entry if self.frozen is None or entry.frozen is not None else replace(entry, frozen=self.frozen)

    def last_verified_before(self, environment: str, release: str) -> Deployment | None:
        """Return the target of a rollback from `release`: never a release that was rolled back, or a vetoed one."""
        way = _way(self.environment(environment).verified.values())
        index = next((i for i in reversed(range(len(way))) if way[i].release == release), len(way))
        return next((d for d in reversed(way[:index]) if d.release != release and self.veto_of(d.release) is None), None)

    def veto_of(self, release: str) -> Hold | None:
        """Return who vetoed it, or one of its images, and why."""
        record = self.releases.get(release)
        digests = (str(ref.digest) for ref in record.release.images.values()) if record else ()
        return next((mark for what in (release, *digests) if (mark := self.vetoed.get(what)) is not None), None)


EMPTY = State()


def _way(verified: Iterable[Deployment]) -> list[Deployment]:
    """Return the history without dead ends: a rollback removes everything since its target."""
    way: list[Deployment] = []
    for deployment in verified:
        if deployment.rollback:
            while way and way[-1].release != deployment.release:
                way.pop()
        if way and way[-1].release == deployment.release:
            way.pop()
        way.append(deployment)
    return way
