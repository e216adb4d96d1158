"""Verdicts of gates and verifications: passed, waiting or refused, with a stable code and a sentence."""

from datetime import datetime
from enum import StrEnum

from promoter.model.dataclass import dataclass


class ReasonCode(StrEnum):
    """The stable reason codes, as written in JSON output and in facts."""

    OK = "ok"
    NOTHING_TO_DO = "nothing_to_do"
    NOT_VERIFIED_UPSTREAM = "not_verified_upstream"
    ORDER_VIOLATION = "order_violation"
    VETOED = "vetoed"
    PINNED = "pinned"
    OUTSIDE_WINDOW = "outside_window"
    FROZEN = "frozen"
    SOAKING = "soaking"
    CHECK_FAILED = "check_failed"
    CHECK_TIMEOUT = "check_timeout"
    NOT_CHECKED = "not_checked"
    APPROVALS_MISSING = "approvals_missing"
    ROLE_MISSING = "role_missing"
    REJECTED = "rejected"
    SELF_APPROVAL = "self_approval"
    APPROVAL_STALE = "approval_stale"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_USED = "approval_used"
    APPROVAL_WRONG_ENVIRONMENT = "approval_wrong_environment"
    SIGNER_UNKNOWN = "signer_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    KEY_REVOKED = "key_revoked"
    POLICY_CHANGED = "policy_changed"
    LOCK_HELD = "lock_held"
    SUPERSEDED = "superseded"
    OVERRIDDEN = "overridden"
    REVIEW_OVERDUE = "review_overdue"
    IRREVERSIBLE = "irreversible"
    OTHER_LEDGER = "other_ledger"
    DIGEST_MOVED = "digest_moved"
    DIGEST_MISMATCH = "digest_mismatch"
    BUILD_FAILED = "build_failed"
    PUSH_FAILED = "push_failed"
    PULL_FAILED = "pull_failed"
    START_FAILED = "start_failed"
    UNHEALTHY = "unhealthy"
    VERIFY_FAILED = "verify_failed"
    ROLLED_BACK = "rolled_back"
    HOST_UNREACHABLE = "host_unreachable"
    HOLD_EXCEEDED = "hold_exceeded"
    UPDATE_PAUSED = "update_paused"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """The three outcomes."""

    PASSED = "passed"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True)
class Verdict:
    """One verdict. `sentence` is for people and says what to do; `opens_at` is known for some waits."""

    outcome: Outcome
    code: ReasonCode
    sentence: str
    opens_at: datetime | None = None


def passed(sentence: str) -> Verdict:
    """Return the verdict of an open gate."""
    return Verdict(Outcome.PASSED, ReasonCode.OK, sentence)


def waiting(code: ReasonCode, sentence: str, opens_at: datetime | None = None) -> Verdict:
    """Return the verdict of a gate that is closed and may open."""
    return Verdict(Outcome.WAITING, code, sentence, opens_at)


def refused(code: ReasonCode, sentence: str) -> Verdict:
    """Return the verdict of a gate that will not open for this plan."""
    return Verdict(Outcome.REFUSED, code, sentence)
