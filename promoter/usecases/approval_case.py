"""The case of an approval: what a person decides on, as values and as JSON."""

from datetime import datetime

from promoter.gates.evaluate import GateResult, gate_document
from promoter.model.dataclass import dataclass
from promoter.model.diff import Change
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.vote import Vote


@dataclass(frozen=True)
class ApprovalCase:
    """The complete case that a person decides on."""

    pipeline: str
    environment: str
    release: Release
    from_release: Release | None
    plan_digest: str
    policy_digest: str
    requested_by: str
    requested_at: datetime
    waits_for: tuple[str, ...]
    commits: tuple[str, ...] | None
    changes: tuple[Change, ...]
    images: tuple[tuple[str, str | None, str], ...]
    steps: tuple[str, ...]
    gates: tuple[GateResult, ...]
    """The verdicts of all gates now. Checks do not run; they run when the promotion is tried again."""
    votes: tuple[Vote, ...]
    run: str | None = None
    """The CI run that asked."""
    matter: str = ""
    """The identity of the request (`Request.matter`)."""

    def document(self) -> dict[str, object]:
        return {
            "pipeline": self.pipeline,
            "environment": self.environment,
            "release": self.release.document(),
            "from": self.from_release.document() if self.from_release else None,
            "plan_digest": self.plan_digest,
            "policy_digest": self.policy_digest,
            "requested_by": self.requested_by,
            "requested_at": stamp(self.requested_at),
            "run": self.run,
            "waits_for": list(self.waits_for),
            "commits": None if self.commits is None else list(self.commits),
            "changes": [change.document() for change in self.changes],
            "images": [{"service": service, "from": old, "to": new} for service, old, new in self.images],
            "steps": list(self.steps),
            "gates": [gate_document(one) for one in self.gates],
            "rollback_to": self.from_release.id if self.from_release else None,
            "votes": [
                {
                    "decision": v.decision,
                    "principal": v.principal,
                    "grade": v.grade,
                    "at": stamp(v.at),
                    "comment": v.comment,
                }
                for v in self.votes
            ],
        }
