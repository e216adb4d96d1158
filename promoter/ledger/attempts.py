"""What was requested, started and not verified in an environment, and which overrides must be reviewed."""

from collections.abc import Mapping
from datetime import datetime

from promoter.ledger.chain import Kind
from promoter.model.dataclass import dataclass
from promoter.model.vote import Vote


@dataclass(frozen=True)
class PromotionRequest:
    """A promotion that requests votes, with the complete plan at that time."""

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
    """The CI run that requested it."""
    rules: Mapping[str, object] | None = None
    """The policy at the time of the request; None if an earlier version did not record it."""

    @property
    def matter(self) -> str:
        """Return what is requested. Votes are bound to exactly this."""
        return f"{self.release} {self.plan_digest} {self.from_release} {self.policy_digest}"


@dataclass(frozen=True)
class ActivePromotion:
    """A promotion that was started and has not ended. `consumed` are digests of the facts with the votes that it used."""

    environment: str
    release: str
    plan_digest: str
    promotion: str
    consumed: tuple[str, ...]
    at: datetime
    seq: int
    mend: bool
    steps_done: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A promotion that failed or was rolled back."""

    kind: Kind
    release: str
    plan_digest: str
    at: datetime
    seq: int
    reason_code: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PendingReview:
    """A promotion with overrides that another person must review."""

    overrides: tuple[Vote, ...]
    release: str
    plan_digest: str
    at: datetime
