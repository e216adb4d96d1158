"""Switch the servers of a front while it runs, through its runtime socket, by way of the engine.

After each change the front's state is saved inside its container: a front that is restarted, by a reboot or after a kill,
starts with the state that was set last.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from promoter.model.clock import Clock
from promoter.model.labels import Slot, color_of
from promoter.model.verdict import ReasonCode
from promoter.pipeline.front import ASK, NOW, PROBE, SAVE, STATE
from promoter.pipeline.front_spec import Route
from promoter.promotion.container_spec import Fronted, Server
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.ownership import Owned
from promoter.promotion.front_servers import (
    Key,
    ServerState,
    Traffic,
    end_sessions,
    set_state,
    states,
    traffic,
)
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine

T = TypeVar("T")
LIMIT = 10.0
"""Seconds for one command, and for a name to get its address."""
_POLL, _DRAIN_POLL = 0.05, 0.2


class FrontControl:
    """The running front of one environment."""

    def __init__(self, engine: Engine, clock: Clock, front: Fronted) -> None:
        self._engine, self._clock, self.front = engine, clock, front

    def running(self) -> Container | None:
        """Return the front's container, if it runs."""
        found = Owned(self._engine, self._clock).of(self.front.owner, self.front.slot.name)
        return found if found is not None and found.running else None

    def has(self, service: str, server: Server) -> bool:
        """Return whether the running front knows all servers of a replica. It does not before it gets a new configuration."""
        known = self._states()
        return all(key in known for one in (server, server.other) for key in self._keys(service, one))

    def admit(self, service: str, server: Server, container: Container) -> None:
        """Send requests to a container, when the front has found its address. Raise StepFailure."""
        keys, ends = self._keys(service, server), self._clock.monotonic() + LIMIT
        while True:
            known = self._states(set_state(keys, "ready") + "; ")
            if all(known[key].admitted and known[key].address in container.addresses for key in keys):
                break
            if self._clock.monotonic() >= ends:
                raise self._failure(f"does not find {container.name} under the name {server.host}", ReasonCode.START_FAILED)
            self._clock.sleep(_POLL)
        self._save()

    def drain(self, service: str, server: Server) -> None:
        """Send no new requests to a server. Open ones continue."""
        self._ask(set_state(self._keys(service, server), "drain"))
        self._save()

    def drained(self, service: str, server: Server, seconds: float) -> bool:
        """Wait until a server has no open request; after `seconds`, end those that are left. Return whether none was ended."""
        keys, ends = self._keys(service, server), self._clock.monotonic() + seconds
        while any(one.sessions for one in self._traffic(keys)):
            if self._clock.monotonic() >= ends:
                self._ask(end_sessions(keys))
                return False
            self._clock.sleep(_DRAIN_POLL)
        return True

    def seen_answering(self, service: str, server: Server) -> None:
        """Send a request through the front, and make sure that the container answers it. Raise StepFailure.

        Another replica may get the request instead: then it is sent again.
        """
        for key, route in zip(self._keys(service, server), self.front.settings.of(service), strict=True):
            ends = self._clock.monotonic() + LIMIT if len(self.front.slots[service]) > 1 else 0.0
            while not self._answers(key, route):
                if self._clock.monotonic() >= ends:
                    raise self._failure(f"gets no answer from {server.slot.name}, port {route.target}", ReasonCode.UNHEALTHY)
                self._clock.sleep(_POLL)

    def align(self, containers: Mapping[tuple[str, Slot], Container]) -> None:
        """Send requests to the containers that run, and to no others. Each is seen answering. Raise StepFailure."""
        for (service, slot), container in containers.items():
            color = color_of(container.labels)
            if color is None or not container.running:
                continue
            server = server_of(self.front, service, slot, color)
            known = self._states()
            if not all(known[key].admitted and known[key].address in container.addresses for key in self._keys(service, server)):
                self.admit(service, server, container)
            if any(known[key].admitted for key in self._keys(service, server.other)):
                self.drain(service, server.other)
            self.seen_answering(service, server)

    # ------------------------------------------------------------ parts
    def _answers(self, key: Key, route: Route) -> bool:
        """Send a request, and return whether this server has answered one meanwhile."""
        before = self._traffic([key])[0]
        self._probe(route.bind, r"PROXY UNKNOWN\r\n" if self.front.settings.proxy_protocol else "")
        after = self._traffic([key])[0]
        if self.front.settings.mode == "http":
            return after.answers > before.answers
        return after.total > before.total and after.refused == before.refused

    def _probe(self, port: int, prefix: str) -> None:
        """Send a request. Its exit code says nothing: some versions of nc end with an error when the other side ends first."""
        if (container := self.running()) is not None:
            self._engine.exec(container.id, ["sh", PROBE, str(port), prefix], LIMIT)

    def _keys(self, service: str, server: Server) -> list[Key]:
        return [(route.backend, server.name) for route in self.front.settings.of(service)]

    def _states(self, commands: str = "") -> Mapping[Key, ServerState]:
        """Run commands, and return the states afterwards."""
        return self._read(states, self._ask(f"{commands}show servers state"))

    def _traffic(self, keys: Iterable[Key]) -> list[Traffic]:
        known = self._read(traffic, self._ask("show stat"))
        return [known[key] for key in keys]

    def _read(self, read: Callable[[str], T], text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise self._failure(f"gave another answer: {error}, got {text.strip()[:100]!r}", ReasonCode.START_FAILED) from error

    def _save(self) -> None:
        self._run(["sh", SAVE, STATE, NOW])

    def _ask(self, line: str) -> str:
        return self._run(["sh", ASK, line])

    def _run(self, command: list[str]) -> str:
        container = self.running()
        if container is None:
            raise self._failure("does not run", ReasonCode.START_FAILED)
        result = self._engine.exec(container.id, command, LIMIT)
        if result.exit_code:
            hint = "its image must have sh, and nc or bash" if result.exit_code in (126, 127) else result.output.strip()[-300:]
            raise self._failure(f"does not answer on its runtime socket: {hint}", ReasonCode.START_FAILED)
        return result.output

    def _failure(self, what: str, code: ReasonCode) -> StepFailure:
        return StepFailure(code, (f"the front {self.front.slot.name} {what}",))


def server_of(front: Fronted, service: str, slot: Slot, color: str) -> Server:
    """Return what the container of this color in a slot is in the front."""
    return Server(slot, front.slots[service].index(slot) + 1, color)
