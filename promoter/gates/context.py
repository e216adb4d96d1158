"""The inputs of gates, collected beforehand as plain values."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from promoter.model.dataclass import dataclass
from promoter.model.release import Release
from promoter.model.vote import Vote


@dataclass(frozen=True)
class Stay:
    """The time that one verified release has run in one environment without interruption."""

    release: str
    since: datetime
    restarted: str | None = None
    """What was restarted since the verification, so that the time began again."""
    down: str | None = None
    """Why it may not be running now. Then no time counts."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check. `timed_out` means that no answer came in time; `seen` is shown to people."""

    passed: bool
    sentence: str
    timed_out: bool = False
    seen: str = ""


@dataclass(frozen=True)
class GateContext:
    """One release that requests to enter one environment."""

    environment: str
    release: Release
    plan_digest: str
    policy_digest: str
    running: str | None
    requested_by: str
    now: datetime
    votes: tuple[Vote, ...] = ()
    consumed: frozenset[str] = frozenset()
    requested_seq: int = 0
    """Sequence number of the request for votes on this plan; 0 if there is none. Earlier stale votes are not reported."""
    stays: Mapping[str, Stay] = field(default_factory=dict)
    checks: Mapping[int, CheckResult] = field(default_factory=dict)
    """Results of the checks, by the gate's index in the list."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signers: tuple[str, ...] | None = None
    """The people in the approvers file; None if the pipeline names no such file."""
    identities: Mapping[str, str] = field(default_factory=dict)
    """Maps logins and other names, in lower case, to the person."""
    overrides: tuple[Vote, ...] = ()
    """Decisions to pass the gates in an emergency, by people that `override:` names."""

    @property
    def author(self) -> str | None:
        """Return the person who wrote the last commit."""
        return person(self.release.source.author, self.identities) if self.release.source.author else None


def person(name: str, identities: Mapping[str, str]) -> str:
    """Return the person with this name, or the name itself. Case is ignored, as platforms ignore the case of logins."""
    return identities.get(name.casefold(), name)
