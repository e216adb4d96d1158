"""Everything that gates judge by, gathered beforehand: plain values, no look at the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from promoter.model.release import Release
from promoter.model.vote import Vote


@dataclass(frozen=True, slots=True)
class Stay:
    """The unbroken, verified stay of one release in one environment."""

    release: str
    since: datetime
    restarted: str | None = None
    """What was started anew since it was verified, so that the stay began again."""
    down: str | None = None
    """Why it is not known to run now: then no time counts."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check saw. `timed_out` when it never got its answer in time; `seen` is what to show a person."""

    passed: bool
    sentence: str
    timed_out: bool = False
    seen: str = ""


@dataclass(frozen=True, slots=True)
class GateContext:
    """One release asking to enter one environment."""

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
    """Where the ledger asks for votes on this very plan; 0 when it does not yet. Stale votes before it are history."""
    stays: Mapping[str, Stay] = field(default_factory=dict)
    checks: Mapping[int, CheckResult] = field(default_factory=dict)
    """Results of the http, container and command gates, by the gate's place in the list."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signers: tuple[str, ...] | None = None
    """Who stands in the approvers file; None when the pipeline names none."""
    identities: Mapping[str, str] = field(default_factory=dict)
    """Logins and other names, in small letters, to the person whose they are."""
    overrides: tuple[Vote, ...] = ()
    """Decisions to pass the gates in an emergency, by the people whom `override:` names."""

    @property
    def author(self) -> str | None:
        """The person who wrote the last commit."""
        return person(self.release.source.author, self.identities) if self.release.source.author else None


def person(name: str, identities: Mapping[str, str]) -> str:
    """Whose name it is; the name itself where nobody claims it. Platforms do not tell logins apart by capitals."""
    return identities.get(name.casefold(), name)
