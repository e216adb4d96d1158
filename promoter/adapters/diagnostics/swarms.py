"""Swarms: whether the addresses are of managers of one swarm, and how many of its nodes are ready."""

from collections.abc import Iterator

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.swarm.swarm import DockerSwarm

_NODES = "look at `docker node ls` on a manager: tasks start only on nodes that are ready and active"


def check(subject: Subject) -> Iterator[Finding]:
    """Report the swarm of each environment. Raise EngineError for one that does not answer."""
    for environment in subject.environments:
        if environment.swarm is None:
            continue
        logins = Credentials().for_host
        engines = [open_engine(one, logins=logins, environ=subject.environ, sleep=lambda _: None) for one in environment.engines]
        try:
            swarm = DockerSwarm(engines)
            identity, (ready, nodes) = swarm.identify(), swarm.nodes()
        finally:
            for engine in engines:
                engine.close()
        part = f"swarm of {environment.name}"
        remedy = None if ready == nodes else _NODES
        yield Finding(part, ready == nodes, False, f"{identity.name}, {ready} of {nodes} nodes ready and active", remedy)
