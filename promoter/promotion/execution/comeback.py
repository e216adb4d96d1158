"""Examine containers again: after an engine was gone and came back, and at the end of a promotion.

Some engines stop their containers when they are restarted. Such an engine first shows the containers as running, and then
stops them. So earlier proofs, and answers during that time, do not count.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError, EngineLost
from promoter.model.labels import Namespace, Role, role_of
from promoter.model.verdict import ReasonCode
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.failure import StepFailure, gather
from promoter.promotion.ports.container import Container, EngineIdentity
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.reconnect import POLL


@dataclass(frozen=True)
class Comeback:
    """An engine that is back, `away` seconds after the connection was lost."""

    identity: EngineIdentity
    away: float


def await_engine(engine: Runtime, clock: Clock, ends: float) -> Comeback | None:
    """Return the engine when it answers again; None if it does not before `ends`. An engine that is stopping can still answer."""
    went = clock.monotonic()
    while clock.monotonic() < ends:
        clock.sleep(POLL)
        with suppress(EngineError, EngineLost):
            return Comeback(engine.identify(), clock.monotonic() - went)
    return None


def settle(engine: Engine, namespace: Namespace, back: Comeback) -> None:
    """Stop the containers that the restarted engine is about to stop: those that started before it went away."""
    if back.identity.keeps_containers:
        return
    went = _time(back.identity.at)
    for container in engine.find(namespace.labels):
        started = _time(container.started_at)
        older = went is None or started is None or started < went - timedelta(seconds=back.away)
        if container.running and older and role_of(container.labels) != Role.JOB:
            engine.stop(container.id, None)


def stays(seen: Container | None, before: Swapped, engine: Runtime, secrets: Secrets) -> bool:
    """Return whether a healthy container has run without a break. False if it was started again: it must be proven again.

    Raise StepFailure if it ended or became unhealthy.
    """
    if seen is None:
        raise StepFailure(ReasonCode.START_FAILED, (f"container {before.container} is gone: it was removed from outside",))
    if not seen.running or seen.health == "unhealthy":
        raise _ended(engine, seen, secrets)
    return seen.started_at == before.started


def _ended(engine: Runtime, seen: Container, secrets: Secrets) -> StepFailure:
    evidence = gather(engine, seen, secrets)
    code = ReasonCode.UNHEALTHY if seen.running else ReasonCode.START_FAILED
    what = "did not stay healthy" if seen.running else "did not stay up"
    return StepFailure(code, (f"{seen.name} {what}: it was proven healthy before", *evidence.sentences()), (evidence,))


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
