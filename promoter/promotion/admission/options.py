"""How a run asks to promote."""

from dataclasses import dataclass
from datetime import timedelta

from promoter.ledger.facts import BY_ITSELF, Cause
from promoter.ledger.lease import TIME_TO_LIVE
from promoter.promotion.plan import Plan


@dataclass(frozen=True)
class PromotionOptions:
    """How this run asks. `wait` is how long to wait for closed gates; `owner` is the name in the lease."""

    owner: str
    actor: str
    wait: timedelta | None = None
    wait_lock: timedelta | None = None
    """How long another run that holds the environment is waited for."""
    lease_ttl: timedelta = TIME_TO_LIVE
    accept_engine: tuple[str, ...] = ()
    """Environments that may move to another engine: a person has accepted it."""
    policy_ref: str | None = None
    """A git ref that the settings hold the policy to, whatever the file says."""
    pass_older: bool = False
    """Leave an environment alone that had this release before and has a newer one now."""
    explicit: bool = False
    """The environment was named on the command line."""
    run: str | None = None
    """The CI run that asks."""
    rollback: bool = False
    """A rollback is a person's decision to go back to what was verified: only what `rollback: {skip: …}` leaves gates it."""
    recorded: Plan | None = None
    """Carry out this plan, as the ledger recorded it, and not the one that the file gives now."""
    force: str | None = None
    """The reason that a person gave to repair in spite of a veto or a freeze."""
    accept_ledger: tuple[str, ...] = ()
    """Environments whose containers another ledger has recorded, and that this one may take over."""
    cause: Cause = BY_ITSELF
