"""Decide which votes follow from a platform's reviews. Pure: an adapter fetches them, `import_reviews.py` records them."""

from collections.abc import Iterable, Mapping, Sequence

from promoter.gates.approval.rule import Approval, own_doing, voters
from promoter.model.dataclass import dataclass
from promoter.model.vote import REVIEW, Vote
from promoter.pipeline.model import Pipeline
from promoter.usecases.ports.platform import Platform, Review

_STATES = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True)
class ReviewSubject:
    """The subject of the reviews: the run, and the environment's name on the platform."""

    platform: Platform
    run: str
    environment: str


@dataclass(frozen=True)
class Reviewed:
    """A review that counts as a vote of `principal`."""

    review: Review
    principal: str
    role: str | None


@dataclass(frozen=True)
class Weighed:
    """The reviews that may count, and a sentence for each reviewer who is ignored."""

    votes: tuple[Reviewed, ...]
    passed_over: tuple[str, ...]


def weigh(
    reviews: Iterable[Review], pipeline: Pipeline, gates: Sequence[Approval], requested_by: str, author: str | None
) -> Weighed:
    """Return rejects before approvals: an interrupted import has then closed the gate, not opened it."""
    may = voters(gates, pipeline.roles, pipeline.signers)
    asker, wrote = pipeline.person(requested_by), pipeline.person(author) if author else None
    votes, over = [], []
    for review in sorted(reviews, key=lambda one: one.decision == "approve"):
        who = pipeline.person(review.user)
        shown = review.user if who == review.user else f"{review.user} ({who})"
        own = own_doing(gates, who, asker, wrote) if review.decision == "approve" else None
        if may is not None and who not in may:
            over.append(f"{shown} may not vote here; these may: {', '.join(sorted(may))}")
        elif own is not None:
            over.append(f"{shown} {own} and may not approve it")
        else:
            role = next((role for role, people in pipeline.roles.items() if who in people), None)
            votes.append(Reviewed(review, who, role))
    return Weighed(tuple(votes), tuple(dict.fromkeys(over)))


def source_of(review: Review, subject: ReviewSubject) -> Mapping[str, str]:
    """Return the part of a fact that names the source of its vote."""
    words = (subject.platform, subject.run, subject.environment, review.user, _STATES[review.decision], review.mark)
    return dict(zip(REVIEW, map(str, words), strict=True))


def is_known(source: Mapping[str, str], votes: Iterable[Vote]) -> bool:
    """Return whether one of the votes was imported from this review."""
    key = " ".join(source[part] for part in REVIEW)
    return any(vote.imported == key for vote in votes)
