"""The three waits of a promotion: for gates, for another run's lease, and for an engine that was lost."""

from collections.abc import Sequence
from datetime import timedelta

from promoter.ledger.lease import came_free
from promoter.ledger.store import LeaseInfo
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError
from promoter.model.verdict import Outcome
from promoter.promotion import progress
from promoter.promotion.admission.result import Admission
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.execution.comeback import Comeback, await_engine
from promoter.promotion.plan import Plan
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.prefetch import prefetch
from promoter.promotion.request import request_promotion

POLL = 1.0
"""Seconds between two checks."""


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, wait: timedelta | float | None) -> "Deadline":
        """Return the deadline `wait` from now (a number is in seconds); without `wait`, now."""
        seconds = wait.total_seconds() if isinstance(wait, timedelta) else wait or 0.0
        return cls(clock, clock.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Return the seconds that are left, never less than 0."""
        return max(0.0, self.at - self.clock.monotonic())


def wait_for_gates(env: EnvironmentContext, plan: Plan) -> Admission:
    """Return the admission when all gates are open, a rule refuses finally, or `--wait` is over. Ask for votes meanwhile."""
    deadline = Deadline.after(env.ports.clock, env.options.wait)
    shown: tuple[str, ...] | None = None
    while True:
        admission = env.controller.evaluate(plan, run_checks=True)
        if admission.admitted:
            env.show(admission)
            return admission
        changed = admission.reasons != shown
        if changed:
            env.show(admission)
        request_promotion(env, plan, admission)
        if shown is None and admission.outcome is not Outcome.REFUSED:
            prefetch(env, plan)
        left = deadline.left
        if left <= 0 or admission.outcome is Outcome.REFUSED:
            return admission
        if changed:
            env.emit(progress.Waiting(env.name, admission.reasons, left))
        shown = admission.reasons
        env.ports.clock.sleep(min(POLL, left))
        env.ledger.refresh()


def wait_for_lease(env: EnvironmentContext, deadline: Deadline) -> bool:
    """Return whether another run released the lease in time. It may have changed anything: evaluate everything again then."""

    def emit(held: LeaseInfo, left: float) -> None:
        env.emit(progress.Waiting(env.name, (f"another run holds {env.name}: {held.owner}",), left))

    return came_free(env.ledger.store, env.name, env.options.owner, deadline.clock, deadline.at, env.ports.gone, emit)


def wait_for_engine(
    env: EnvironmentContext, engines: Sequence[Runtime], error: EngineError, deadline: Deadline
) -> Comeback | None:
    """Return the engine when it answers again, of several the last one; None if one of them does not in time."""
    env.emit(progress.Waiting(env.name, (f"{error.message}; the engine connection was lost",), deadline.left))
    found = [await_engine(engine, deadline.clock, deadline.at) for engine in engines]
    return found[-1] if all(found) else None
