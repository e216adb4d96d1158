"""The managers of one swarm. A request goes to one of them; if it is lost, or the swarm has no leader, to the next."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.errors import answered
from promoter.model.errors import EngineError, WorldError
from promoter.model.pattern import pattern

T = TypeVar("T")
ELECTION = 45.0
"""Seconds in which a swarm that lost its leader must have another one, and a manager must be back. Elections take 10 to 20."""
_POLL = 0.5
_NO_LEADER = pattern(
    r"does not have a leader|not a swarm manager|is not a manager of a swarm|manager stopped|DeadlineExceeded|deadline exceeded"
    r"|code = Unavailable|lost leadership|is being shutdown|context canceled"
)
NOT_A_MANAGER = "name a manager of the swarm in `engine`; `docker node ls` on it lists the managers"


class Managers:
    """Sends requests to a manager that answers. All requests can be repeated: the caller looks at what is there first."""

    def __init__(self, engines: Sequence[DockerEngine], sleep: Callable[[float], None], check: Callable[[], None]) -> None:
        self.engines = tuple(engines)
        self.address = ", ".join(engine.address for engine in engines)
        self._sleep, self._check = sleep, check
        self._current, self._reached = 0, False

    def on(self, act: Callable[[DockerEngine], T]) -> T:
        """Call `act` with one manager after the other, until one answers. Raise EngineError if none does in time."""
        ends = time.monotonic() + (ELECTION if self._reached else 0.0)
        while True:
            error = None
            for number in range(len(self.engines)):
                index = (self._current + number) % len(self.engines)
                try:
                    found = act(self.engines[index])
                except WorldError as failed:
                    if not _worth_another_manager(failed):
                        self._reached = True
                        raise
                    error = failed
                else:
                    self._current, self._reached = index, True
                    return found
            assert error is not None
            if time.monotonic() >= ends:
                raise self._gone(error) from error
            self._check()
            self._sleep(_POLL)

    def ask(self, what: str, method: str, path: str, *names: str, **options: Any) -> requests.Response:
        """Send one request. `what` names the operation in an error message."""
        return self.on(lambda engine: engine.ask(what, method, path, *names, **options))

    def ask_once(self, what: str, path: str, name: str, **options: Any) -> requests.Response:
        """Send a GET to one manager only. Raise EngineError if it does not answer: a node that is lost has no other way to it."""
        return self.engines[self._current].ask(what, "GET", path, name, **options)

    def _gone(self, error: WorldError) -> EngineError:
        several = f"no manager of the swarm answers ({self.address}): " if len(self.engines) > 1 else ""
        gone = EngineError(f"{several}{error.message}", hint=error.hint, retryable=error.retryable)
        gone.lost = self._reached
        return gone


def _worth_another_manager(error: WorldError) -> bool:
    """Return whether another manager may do what this one did not: it could not be reached, or it is none, or has no leader."""
    unreachable = error.__cause__ is not None and not answered(error)
    return isinstance(error, EngineError) and (unreachable or _NO_LEADER.search(error.message) is not None)
