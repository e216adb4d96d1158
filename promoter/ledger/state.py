"""What is where, as the facts tell it: frozen values. `reducer.py` computes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile

from promoter.ledger.chain import Kind, LedgerHead
from promoter.ledger.table import PersistentTable, empty
from promoter.model.release import Release
from promoter.model.vote import Vote


@dataclass(frozen=True, slots=True)
class Running:
    """One service as it was read back from its containers."""

    digest: str | None
    containers: tuple[str, ...]
    started: tuple[str, ...] = ()
    """When each of them was started, by the engine's clock; empty in facts of older versions."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A promotion that was verified. `services` are those that run for it now, also after it was put back."""

    environment: str
    release: str
    plan_digest: str
    promotion: str
    at: datetime
    seq: int
    services: Mapping[str, Running]
    mend: bool = False
    rollback: bool = False
    engine: str | None = None
    """Fingerprint of the engine that it runs on."""


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """A promotion that asks for votes, with the whole plan as it was then."""

    environment: str
    release: str
    plan_digest: str
    from_release: str | None
    policy_digest: str
    requested_by: str
    at: datetime
    seq: int
    plan: Mapping[str, object]
    reason_code: str
    reasons: tuple[str, ...]
    rollback: bool = False
    run: str | None = None
    """The CI run that asks."""
    rules: Mapping[str, object] | None = None
    """What decided who may enter, as it was for who asked; None where an earlier version did not record it."""

    @property
    def matter(self) -> str:
        """What is asked for: votes on it are bound to exactly this."""
        return f"{self.release} {self.plan_digest} {self.from_release} {self.policy_digest}"


@dataclass(frozen=True, slots=True)
class ActivePromotion:
    """A promotion that began and has no ending yet. `consumed` are digests of the facts of the votes it rests on."""

    environment: str
    release: str
    plan_digest: str
    promotion: str
    consumed: tuple[str, ...]
    at: datetime
    seq: int
    mend: bool
    steps_done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A promotion that failed, or was rolled back."""

    kind: Kind
    release: str
    plan_digest: str
    at: datetime
    seq: int
    reason_code: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A promotion that passed the gates by overrides: another person is to look back on it."""

    overrides: tuple[Vote, ...]
    release: str
    plan_digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A pin or a freeze: who put it there, and why."""

    reason: str
    actor: str
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A release and when it was first recorded, with the tags that were shown for it.

    `order` is the sequence number of its last appearance: one that is made again is the newest again.
    """

    release: Release
    at: datetime
    seq: int
    actor: str
    order: int
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """One environment. `since` is when the unbroken stay of `current` began: each failure, mend and replacement
    begins another, and there is none while a failed release is left in place.
    """

    current: Deployment | None = None
    since: datetime | None = None
    request: PromotionRequest | None = None
    start: ActivePromotion | None = None
    """What was started and has not ended: it is going on, or was cut off."""
    ended_seq: int = 0
    """Sequence number of the last promoted, failed or rolled_back here."""
    last_failure: Failure | None = None
    """The latest one, however long ago: compare its `seq` with that of `current`."""
    pinned: Hold | None = None
    frozen: Hold | None = None
    overrides: tuple[Vote, ...] = ()
    owed: tuple[PendingReview, ...] = ()
    """Every override that was used here, also those that were reviewed since."""
    reviews: tuple[Vote, ...] = ()
    verified: PersistentTable[Deployment] = field(default_factory=empty)
    """Every verified promotion, by its sequence number."""
    lived: PersistentTable[int] = field(default_factory=empty)
    """Every release that was verified here, to the sequence number of its last verified promotion."""
    asked: PersistentTable[int] = field(default_factory=empty)
    """Every release that asked to enter or began to, to the sequence number of the last such fact."""
    pending: PersistentTable[int] = field(default_factory=empty)
    """Those that asked and have not begun since."""
    waiting: PersistentTable[int] = field(default_factory=empty)
    """Of these, those that no other release has superseded since."""
    plans: PersistentTable[int] = field(default_factory=empty)
    """The digest of each plan that was ever asked for here, to the sequence number of the last such request."""
    asked_by: PersistentTable[tuple[str, ...]] = field(default_factory=empty)
    """Every CI run that asked here, to what it asked for (`Request.matter`), each thing once."""
    votes: PersistentTable[tuple[Vote, ...]] = field(default_factory=empty)
    """Approvals and rejects by release."""
    identities: PersistentTable[str] = field(default_factory=empty)
    """The digest of each fact that holds a vote, to what that vote is known by (`Vote.identity`)."""
    consumed: PersistentTable[str] = field(default_factory=empty)
    """What a used vote is known by, to the promotion that used it first."""

    def votes_for(self, release: str) -> tuple[Vote, ...]:
        return self.votes.get(release) or ()

    def recent(self) -> tuple[str, ...]:
        """The releases that must be at hand here: the one that lives here and the one before it."""
        here = self.current.release if self.current else None
        before = next((d.release for _, d in self.verified.backwards() if d.release != here), None)
        return tuple(release for release in (here, before) if release is not None)

    @property
    def unfinished_rollback(self) -> Hold | None:
        """The pin of a rollback that was cut off before it could record it: then the promotion itself stands for it."""
        return self.pinned if self.pinned and self.current and self.pinned.seq == self.current.seq else None

    def used_by_others(self, votes: Iterable[Vote], promotion: str) -> frozenset[str]:
        """Of `votes` those that are used up for `promotion`, by what they are known by.

        It may rest again on its own, when it goes on after it was cut off.
        """
        known = {vote.identity for vote in votes}
        return frozenset(one for one in known if self.consumed.get(one) not in (None, promotion))


_NOWHERE = EnvironmentState()


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the facts up to `head` say."""

    head: LedgerHead = field(default_factory=LedgerHead)
    salt: str | None = None
    pipeline: str | None = None
    """Whose ledger this is, as its first release says."""
    releases: PersistentTable[ReleaseRecord] = field(default_factory=empty)
    """In order of appearance; one that is made again appears again, at the end."""
    environments: Mapping[str, EnvironmentState] = field(default_factory=dict)
    """Those that facts name. `environment()` knows every name, and freezes that hold everywhere."""
    vetoed: PersistentTable[Hold] = field(default_factory=empty)
    """Ids of releases, and digests of images: who banned them first, and why."""
    frozen: Hold | None = None
    """A freeze of all environments."""
    policy_ref: str | None = None
    """The git ref that the file named for its policy when that was last held to it."""
    impossible: PersistentTable[str] = field(default_factory=empty)
    """By their sequence numbers, the facts that cannot be and were passed over, and why."""
    chain: str | None = None
    """The digest of the first fact: what this ledger is known by, wherever it is kept and however that is spelled."""

    def newest(self) -> ReleaseRecord | None:
        return next((record for _, record in self.releases.backwards()), None)

    def matching(self, prefix: str) -> tuple[ReleaseRecord, ...]:
        """The releases whose id begins so."""
        return tuple(record for _, record in self.releases.starting_with(prefix))

    def after(self, release: str) -> list[str]:
        """The releases that appeared later, in order; none when it is not known."""
        record = self.releases.get(release)
        if record is None:
            return []
        later = takewhile(lambda row: row[1].order > record.order, self.releases.backwards())
        return [key for key, _ in later][::-1]

    def is_older(self, release: str, other: str) -> bool:
        """Whether it last appeared before `other`, when both are known."""
        one, two = self.releases.get(release), self.releases.get(other)
        return one is not None and two is not None and one.order < two.order

    def environment(self, name: str) -> EnvironmentState:
        entry = self.environments.get(name, _NOWHERE)
        return entry if self.frozen is None or entry.frozen is not None else replace(entry, frozen=self.frozen)

    def last_verified_before(self, environment: str, release: str) -> Deployment | None:
        """Where a rollback from `release` goes: never to a release that was rolled back from, nor to a vetoed one."""
        way = _way(self.environment(environment).verified.values())
        here = next((i for i in reversed(range(len(way))) if way[i].release == release), len(way))
        return next((d for d in reversed(way[:here]) if d.release != release and self.veto_of(d.release) is None), None)

    def veto_of(self, release: str) -> Hold | None:
        """Who banned it, or one of its images, and why."""
        record = self.releases.get(release)
        digests = (str(ref.digest) for ref in record.release.images.values()) if record else ()
        return next((mark for what in (release, *digests) if (mark := self.vetoed.get(what)) is not None), None)


EMPTY = State()


def _way(verified: Iterable[Deployment]) -> list[Deployment]:
    """The way that led here without its dead ends: a rollback takes back everything since the release it went to."""
    way: list[Deployment] = []
    for deployment in verified:
        if deployment.rollback:
            while way and way[-1].release != deployment.release:
                way.pop()
        if way and way[-1].release == deployment.release:
            way.pop()
        way.append(deployment)
    return way
