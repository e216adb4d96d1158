"""Which swarm a manager belongs to."""

import hashlib
from collections.abc import Mapping
from typing import Any

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.errors import renamed
from promoter.adapters.swarm.managers import NOT_A_MANAGER
from promoter.model.errors import EngineError
from promoter.promotion.ports.container import EngineIdentity

_NO_QUORUM = "check that more than half of its managers run and reach each other"
Json = Mapping[str, Any]


def identity_of(engine: DockerEngine) -> EngineIdentity:
    """Identify the swarm of a manager. Raise EngineError for an engine that is not a manager."""
    with renamed(f"the engine at {engine.address} could not be identified"), engine.client().reconnected() as client:
        info = client.call("GET", "/info").json()
    swarm = _required(engine, info)
    mark = hashlib.sha256(f"swarm\n{swarm['Cluster']['ID']}".encode()).hexdigest()
    name = f"swarm {swarm['Cluster']['ID'][:12]}"
    return EngineIdentity(mark, name, info["ServerVersion"], info.get("SystemTime") or "", keeps_containers=True)


def swarm_of(engine: DockerEngine) -> Json:
    return _required(engine, engine.ask(f"the engine at {engine.address} could not be asked", "GET", "/info").json())


def _required(engine: DockerEngine, info: Json) -> Json:
    swarm: Json = info.get("Swarm") or {}
    if swarm.get("LocalNodeState") != "active" or not swarm.get("ControlAvailable"):
        state = "a worker" if swarm.get("LocalNodeState") == "active" else "not part of a swarm"
        raise EngineError(f"{engine.address} is not a manager of a swarm: it is {state}", hint=NOT_A_MANAGER)
    if not (swarm.get("Cluster") or {}).get("ID"):  # a manager does not know its own swarm until there is a leader
        raise EngineError(f"the swarm of {engine.address} does not have a leader", hint=_NO_QUORUM)
    if engine.client().api < (1, 41):
        raise EngineError(f"{engine.address} is too old for jobs in a swarm", hint="install Docker Engine 20.10 or newer there")
    return swarm
