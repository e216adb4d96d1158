"""Wait for an engine that is gone and comes back."""

from collections.abc import Callable
from typing import TypeVar

from promoter.model.clock import Clock
from promoter.model.errors import EngineError, WorldError
from promoter.promotion.ports.container import EngineIdentity
from promoter.promotion.ports.runtime import Runtime

T = TypeVar("T")
POLL = 1.0
"""Seconds between two attempts to reach an engine that is gone."""
AWAY = 60.0
"""Seconds within which an engine that was lost must be back permanently."""
OUTAGES = 2
"""The number of times that a build or a push is repeated: some builds make their engine fail each time."""


def identified(engine: Runtime, clock: Clock) -> EngineIdentity:
    """Identify the engine, and wait if the connection breaks off. Raise EngineError if it does not come back.

    An engine that was never reached is an error at once.
    """
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


def outlast(engine: Runtime, clock: Clock, act: Callable[[], T]) -> T:
    """Call `act`, which may run twice. If the engine is lost meanwhile, wait for it and call `act` again.

    Raise what `act` raised if the engine answers all the time, does not come back, or is lost too often.
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


def _answers(engine: Runtime) -> bool:
    try:
        engine.identify()
    except EngineError:
        return False
    return True
