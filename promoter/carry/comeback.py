"""Looking anew: after an engine went away and came back, and at the end of a promotion.

An engine that does not keep its containers while it is restarted asks them to end once it is back, and shows them as running
until they have. What was proven before says nothing about them, and neither does what they answer meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from promoter.carry.failure import StepFailure, gather
from promoter.carry.order import Swapped
from promoter.model.errors import EngineError, WorldError
from promoter.model.naming import Place, Role, role_of
from promoter.model.verdict import ReasonCode
from promoter.ports import Clock, Container, Engine, EngineIdentity, Secrets

T = TypeVar("T")
POLL = 1.0
"""Seconds between two looks at an engine that went away."""
OUTAGES = 2
"""How often a build or a push begins again: an engine that such a build brings down is not brought down for ever."""
AWAY = 60.0
"""Seconds within which an engine that went away in the middle must be back for good."""


def identified(engine: Engine, clock: Clock) -> EngineIdentity:
    """Waits for one that breaks off. Raises EngineError when it does not come back, and at once when it was never reached."""
    deadline = clock.monotonic() + AWAY
    try:
        return engine.identify()
    except EngineError as error:
        if not error.lost:
            raise
    while True:
        clock.sleep(POLL)
        try:
            return engine.identify()
        except EngineError:
            if clock.monotonic() >= deadline:
                raise


def outlast(engine: Engine, clock: Clock, act: Callable[[], T]) -> T:
    """Do `act`, which may be done twice. Where the engine goes away in the middle, wait for it and begin again.

    Raises what `act` raised when the engine answers all the time, does not come back, or goes away once too often.
    """
    for _ in range(OUTAGES):
        try:
            return act()
        except WorldError as error:
            if not error.lost and _answers(engine):
                raise
            try:
                identified(engine, clock)
            except EngineError:
                raise error from None
    return act()


def _answers(engine: Engine) -> bool:
    try:
        engine.identify()
    except EngineError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Comeback:
    """An engine that is back, `away` seconds after it was missed."""

    identity: EngineIdentity
    away: float


def settle(engine: Engine, place: Place, back: Comeback) -> None:
    """Ends what the engine lets end anyway: containers that have run since before it went."""
    if back.identity.keeps_containers:
        return
    went = _time(back.identity.at)
    for container in engine.find(place.labels):
        started = _time(container.started_at)
        older = went is None or started is None or started < went - timedelta(seconds=back.away)
        if container.running and older and role_of(container.labels) != Role.JOB:
            engine.stop(container.id, None)


def stays(seen: Container | None, before: Swapped, engine: Engine, secrets: Secrets) -> bool:
    """Whether a container that was proven healthy has run on since. False when it was started again, which proves nothing.

    Raises StepFailure when it ended.
    """
    if seen is None:
        raise StepFailure(ReasonCode.START_FAILED, (f"container {before.container} is gone: it was removed from outside",))
    if not seen.running or seen.health == "unhealthy":
        raise _ended(engine, seen, secrets)
    return seen.started_at == before.started


def _ended(engine: Engine, seen: Container, secrets: Secrets) -> StepFailure:
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
