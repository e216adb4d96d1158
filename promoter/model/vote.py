"""Votes on a promotion, what may be wrong with one, and how strongly one must be proven."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promoter.model.statement import Envelope
from promoter.model.verdict import ReasonCode

REVIEW = ("platform", "run", "environment", "user", "state", "mark")
"""What tells one review on a platform from all others."""


class Grade(StrEnum):
    """How sure we are who voted, weakest first."""

    ASSERTED = "asserted"
    PLATFORM = "platform"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a signed vote is not what it says it is."""

    code: ReasonCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one plan. `digest` is that of the fact which holds it; a `started` fact consumes it.

    As the fold leaves it, a vote is what its fact says. `ballots.py` checks the envelope: only then `grade` means
    something, and `key` and `flaw` are known.
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
    """Digest of the fact before the one that holds it: a signed vote names it, and so all that its signer could see."""
    envelope: Envelope | None = None
    key: str | None = None
    """Fingerprint of the key that signed it, once checked."""
    flaw: Flaw | None = None
    reviews: str | None = None
    imported: str | None = None
    """What a review on the platform is known by, where this vote was imported from one."""

    @property
    def identity(self) -> str:
        """What is used up: a copy of a signed or imported vote, appended again, is the same vote."""
        return self.envelope.identity if self.envelope is not None else self.imported or self.digest


SIGNED, REVIEWED = "signed", "reviewed"
"""How the title of a gate begins that only signatures open, or these and reviews on the platform."""
