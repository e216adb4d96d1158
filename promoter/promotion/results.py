"""The results of a run: values with one JSON form each, and the exit code that follows from them."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import assert_never

from promoter.gates.evaluate import GateResult
from promoter.model.dataclass import dataclass
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode


class Status(StrEnum):
    """The end of one environment in this run."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    PENDING = "pending"
    REFUSED = "refused"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    NOT_REACHED = "not_reached"
    LOCKED = "locked"
    INTERRUPTED = "interrupted"

    @property
    def words(self) -> str:
        """Return the status for people."""
        return self.value.replace("_", " ")


class Decision(StrEnum):
    """The end of the run as a whole."""

    COMPLETE = "complete"
    PENDING = "pending"
    REFUSED = "refused"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    LOCKED = "locked"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class EnvironmentResult:
    """The result of one environment. `details` has the rest: steps, gates, evidence of a failure."""

    name: str
    status: Status
    code: ReasonCode
    reasons: tuple[str, ...] = ()
    plan_digest: str | None = None
    previous: str | None = None
    gap_ms: int | None = None
    duration_ms: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    closed: tuple[GateResult, ...] = ()
    """The rules that refuse the release."""

    def document(self) -> dict[str, object]:
        status = {Status.LOCKED: "failed", Status.INTERRUPTED: "failed"}.get(self.status, str(self.status))
        return {
            "name": self.name,
            "status": status,
            "reason_code": str(self.code),
            "reasons": list(self.reasons),
            "plan_digest": self.plan_digest,
            "previous": {"id": self.previous} if self.previous else None,
            "gap_ms": self.gap_ms,
            "duration_ms": self.duration_ms,
            **self.details,
        }


_WORST_FIRST = (
    (Status.INTERRUPTED, Decision.INTERRUPTED),
    (Status.ROLLED_BACK, Decision.ROLLED_BACK),
    (Status.FAILED, Decision.FAILED),
    (Status.REFUSED, Decision.REFUSED),
    (Status.LOCKED, Decision.LOCKED),
    (Status.PENDING, Decision.PENDING),
)


@dataclass(frozen=True)
class RunResult:
    """The result of run, promote, plan and rollback. `release` is None if none could be made."""

    pipeline: str
    release: Release | None
    environments: tuple[EnvironmentResult, ...]
    code: ReasonCode | None = None
    """The reason if the run ended before any environment; otherwise that of the worst environment."""

    @property
    def decision(self) -> Decision:
        seen = {e.status for e in self.environments}
        return next((decision for status, decision in _WORST_FIRST if status in seen), Decision.COMPLETE)

    @property
    def reason_code(self) -> ReasonCode:
        if self.code is not None:
            return self.code
        status = next((status for status, _ in _WORST_FIRST if any(e.status is status for e in self.environments)), None)
        if status is not None:
            return next(e.code for e in self.environments if e.status is status)
        changed = any(e.status is Status.DEPLOYED for e in self.environments)
        return ReasonCode.OK if changed or not self.environments else ReasonCode.NOTHING_TO_DO

    def document(self) -> dict[str, object]:
        decision = "failed" if self.decision is Decision.INTERRUPTED else str(self.decision)
        return {
            "decision": decision,
            "reason_code": str(self.reason_code),
            "pipeline": self.pipeline,
            "release": self.release.document() if self.release else None,
            "environments": [e.document() for e in self.environments],
        }


def exit_code(decision: Decision) -> int:
    """Return the exit code of the process, as design and README list them."""
    match decision:
        case Decision.COMPLETE:
            return 0
        case Decision.FAILED:
            return 1
        case Decision.PENDING:
            return 3
        case Decision.REFUSED:
            return 4
        case Decision.LOCKED:
            return 5
        case Decision.ROLLED_BACK:
            return 6
        case Decision.INTERRUPTED:
            return 130
    assert_never(decision)
