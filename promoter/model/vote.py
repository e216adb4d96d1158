"""Votes on a promotion, their flaws, and their grades."""

from datetime import datetime
from enum import StrEnum

from promoter.model.dataclass import dataclass
from promoter.model.statement import Envelope
from promoter.model.verdict import ReasonCode

REVIEW = ("platform", "run", "environment", "user", "state", "mark")
"""The keys that identify a review on a platform."""


class Grade(StrEnum):
    """How strongly the identity of a voter is proven, weakest first."""

    ASSERTED = "asserted"
    PLATFORM = "platform"
    SIGNED = "signed"


@dataclass(frozen=True)
class Flaw:
    """Why a signed vote is not valid."""

    code: ReasonCode
    sentence: str


@dataclass(frozen=True)
class Vote:
    """One person's vote on one plan. `digest` is that of its fact; a `started` fact consumes it.

    After the fold, a vote has the values of its fact. `gates/approval/votes.py` checks the envelope: only then is `grade`
    trusted, and are `key` and `flaw` known.
    """

    decision: str
    principal: str
    role: str | None
    grade: str
    environment: str
    release: str
    plan_digest: str
    from_release: str | None
    policy_digest: str
    at: datetime
    expires_at: datetime | None
    comment: str
    seq: int
    digest: str
    prev: str = ""
    """Digest of the fact before it. A signed vote names it, and so all facts that its signer could see."""
    envelope: Envelope | None = None
    key: str | None = None
    """Fingerprint of the key that signed it, after the check."""
    flaw: Flaw | None = None
    reviews: str | None = None
    imported: str | None = None
    """The identity of the platform review from which this vote was imported."""

    @property
    def identity(self) -> str:
        """Return the identity of the vote: a copy of a signed or imported vote is the same vote."""
        return self.envelope.identity if self.envelope is not None else self.imported or self.digest


SIGNED, REVIEWED = "signed", "reviewed"
"""The start of the title of a gate that only signatures open, or also platform reviews."""
