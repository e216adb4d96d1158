"""What the front of an environment does now: which containers get requests, and how many were answered."""

from collections.abc import Iterable, Iterator, Mapping

from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.labels import color_of, is_aside, service_of, slot_of
from promoter.pipeline.front import ASK, FRONT, server
from promoter.promotion.front_servers import Key, ServerState, Traffic, states, traffic
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine

LIMIT = 5.0
"""Seconds for the answer of a front."""
_QUESTION, _SECOND = "show servers state; show stat", "# pxname,"


@dataclass(frozen=True)
class ServerTraffic:
    """One server of the front. `container` is None if none has its name. The counts begin with the start of the front."""

    service: str
    port: int
    container: str | None
    gets_requests: bool
    answered: int
    errors: int
    open: int

    def document(self) -> dict[str, object]:
        return {
            "service": self.service,
            "port": self.port,
            "container": self.container,
            "gets_requests": self.gets_requests,
            "answered": self.answered,
            "errors": self.errors,
            "open": self.open,
        }


@dataclass(frozen=True)
class FrontStatus:
    """`problem` is why the front could not be asked."""

    servers: tuple[ServerTraffic, ...] = ()
    problem: str | None = None

    def document(self) -> dict[str, object]:
        return {"servers": [one.document() for one in self.servers], "problem": self.problem}


def front_status(engine: Engine, containers: Iterable[Container]) -> FrontStatus:
    """Ask the front among the containers of an environment. Raise nothing: a front that does not answer has a problem."""
    containers = tuple(containers)
    front = next((one for one in containers if service_of(one.labels) == FRONT and not is_aside(one.name)), None)
    if front is None or not front.running:
        return FrontStatus(problem="the front does not run")
    try:
        result = engine.exec(front.id, ["sh", ASK, _QUESTION], LIMIT)
        first, _, second = result.output.partition(_SECOND)
        return FrontStatus(tuple(_servers(states(first), traffic(_SECOND + second), _by_host(containers))))
    except PromoterError as error:
        return FrontStatus(problem=f"the front could not be asked: {error.message}")
    except ValueError:
        return FrontStatus(problem="the front does not answer on its runtime socket")


def _servers(
    known: Mapping[Key, ServerState], counts: Mapping[Key, Traffic], containers: Mapping[str, Container]
) -> Iterator[ServerTraffic]:
    """Yield the servers that get requests, have open ones, or are those of a container that runs."""
    for key, state in known.items():
        service, _, port = key[0].rpartition("_")
        found, count = containers.get(state.target.partition(":")[0]), counts.get(key)
        if count is None or not port.isdecimal() or key[1] == "wait":
            continue
        if state.admitted or count.sessions or (found is not None and found.running):
            name = found.name if found is not None else None
            yield ServerTraffic(service, int(port), name, state.admitted, count.answered, count.errors, count.sessions)


def _by_host(containers: Iterable[Container]) -> dict[str, Container]:
    """Return the containers behind the front by the name of their server. One that runs comes before one that was kept."""
    behind = [(one, color) for one in containers if (color := color_of(one.labels)) is not None]
    behind.sort(key=lambda pair: (pair[0].running, not is_aside(pair[0].name)))
    return {server(slot_of(one.name), color): one for one, color in behind}
