"""Waiting for an engine that went away and comes back."""

from collections.abc import Callable
from typing import TypeVar

from promoter.model.clock import Clock
from promoter.model.errors import EngineError, WorldError
from promoter.promotion.ports.engine import Engine, EngineIdentity

T = TypeVar("T")
POLL = 1.0
"""Seconds between two looks at an engine that went away."""
AWAY = 60.0
"""Seconds within which an engine that went away in the middle must be back for good."""
OUTAGES = 2
"""How often a build or a push begins again: a build that brings its engine down does not do so without end."""


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
