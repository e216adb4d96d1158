"""Ports of an environment that others have already, found before anything is built or changed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from promoter.model.labels import Namespace
from promoter.pipeline.compose.ports import clash
from promoter.pipeline.compose.service import Port
from promoter.pipeline.model import Environment
from promoter.promotion.ports.container import ListeningPort, PublishedPort
from promoter.promotion.ports.engine import Engine

REMEDY = "stop what uses the port, or give the service another port"


class PortsInUse(NamedTuple):
    """The ports of one engine's host that containers have, and those that processes have."""

    published: tuple[PublishedPort, ...] = ()
    listening: tuple[ListeningPort, ...] = ()


def ports_in_use(engine: Engine, environments: Iterable[Environment]) -> PortsInUse:
    """Return who has the ports that these environments publish on an engine. Raise EngineError if it does not answer."""
    published = engine.published_ports()
    wanted = {port.published for one in environments for _, port in _ports(one) if port.published and port.protocol == "tcp"}
    listening = engine.listening_ports(wanted - {one.port for one in published})
    if listening:  # a container that was started meanwhile may be what listens
        published += engine.published_ports()
    return PortsInUse(published, listening)


def taken_ports(environment: Environment, pipeline: str, used: PortsInUse) -> Iterator[str]:
    """Yield a sentence for each port that a process, or a container of another environment or of someone else, has."""
    ours = Namespace(pipeline, environment.name).labels.items()
    for name, port in _ports(environment):
        what = f"{environment.name}: port {port.published} of service {name}"
        containers = [one for one in used.published if _has(one, port) and one.protocol == port.protocol]
        others = [one.container for one in containers if not ours <= one.labels.items()]
        if others:
            yield f"{what} is used by container {others[0]}"
        elif not containers and port.protocol == "tcp":
            holders = [one.holder for one in used.listening if _has(one, port) and not ours <= one.labels.items()]
            yield from (f"{what} is in use by {holder}" for holder in holders[:1])


def _ports(environment: Environment) -> Iterator[tuple[str, Port]]:
    for name, service in environment.services.items():
        for port in service.ports if service.replicas else ():
            yield name, port


def _has(one: PublishedPort | ListeningPort, port: Port) -> bool:
    return one.port == port.published and clash(one.address, port.host_ip)
