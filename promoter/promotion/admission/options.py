"""The options of a run that asks to promote."""

from datetime import timedelta

from promoter.ledger.facts import BY_ITSELF, Cause
from promoter.ledger.lease import TIME_TO_LIVE
from promoter.model.dataclass import dataclass
from promoter.promotion.plan import Plan


@dataclass(frozen=True)
class PromotionOptions:
    """The options of this run. `wait` is the time to wait for closed gates; `owner` is the name in the lease."""

    owner: str
    actor: str
    wait: timedelta | None = None
    wait_lock: timedelta | None = None
    """The time to wait for another run that has the environment's lease."""
    lease_ttl: timedelta = TIME_TO_LIVE
    accept_engine: tuple[str, ...] = ()
    """Environments that may move to another engine, because a person has accepted it."""
    policy_ref: str | None = None
    """A git ref from the settings with which the policy is compared, whatever the file contains."""
    pass_older: bool = False
    """Leave an environment unchanged if it had this release before and has a newer one now."""
    explicit: bool = False
    """The environment was named on the command line."""
    run: str | None = None
    """The CI run that asks."""
    rollback: bool = False
    """Go back to a verified release. It must pass only the gates that `rollback: {skip: …}` does not skip."""
    recorded: Plan | None = None
    """The plan to carry out, as the ledger recorded it, instead of the one that the file gives now."""
    force: str | None = None
    """The reason that a person gave to repair despite a veto or a freeze."""
    accept_ledger: tuple[str, ...] = ()
    """Environments whose containers another ledger recorded, and that this one may take over."""
    cause: Cause = BY_ITSELF
