"""Compare where the running front sends requests with the recorded containers. It only reads from the engine.

The front writes the states of its servers into a file every few seconds. So a change by hand is found, and no command has to
be run inside.
"""

from collections.abc import Iterator, Mapping

from promoter.model.findings import Finding, FindingKind
from promoter.model.labels import color_of
from promoter.pipeline.front import FRONT, NOW
from promoter.pipeline.front_spec import Route
from promoter.promotion.container_spec import Server
from promoter.promotion.front_servers import Key, ServerState, states
from promoter.promotion.inspection.record import Record, Replica
from promoter.promotion.ports.observation import EngineView

NOT_COMPARED = "front: where it sends requests, because it does not run or has not written it yet"
_READS = 3
"""How often the file is read: it may be read while it is written."""


def front_states(engine: EngineView, replicas: tuple[Replica, ...]) -> Mapping[Key, ServerState] | None:
    """Return what the running front has written last; None if it does not run, or has written nothing."""
    found = next((r.found for r in replicas if r.service == FRONT and r.found is not None and r.found.running), None)
    for _ in range(_READS if found is not None else 0):
        assert found is not None
        text = engine.read(found.id, NOW)
        if text is None:
            return None
        try:
            return states(text)
        except ValueError:
            continue
    return None


def front_findings(record: Record, replicas: tuple[Replica, ...], known: Mapping[Key, ServerState]) -> Iterator[Finding]:
    """Yield a finding for each port of a recorded container that runs, if its requests go elsewhere."""
    front = record.plan.environment.front
    for replica in replicas if front is not None else ():
        assert front is not None
        color = color_of(replica.found.labels) if replica.found is not None else None
        if replica.found is None or color is None or not replica.found.running:
            continue
        server = Server(replica.slot, record.slots(replica.service).index(replica.slot) + 1, color)
        for route in front.of(replica.service):
            if (found := _other_target(route, server, known)) is not None:
                path = f"services.{replica.service}.front.{route.target}"
                expected = f"requests go to {_target(server, route)}"
                yield Finding(replica.service, replica.found.name, FindingKind.FRONT, path, expected, found)


def _other_target(route: Route, server: Server, known: Mapping[Key, ServerState]) -> str | None:
    """Return where requests go; None if it is the wanted server alone, or is not known.

    A wanted server may be without an address for some seconds after a restart.
    """
    wanted, other = (known.get((route.backend, one.name)) for one in (server, server.other))
    if wanted is None or other is None:
        return None
    targets = [*([wanted.target] if not wanted.held_back else []), *([other.target] if other.admitted else [])]
    if targets == [_target(server, route)]:
        return None
    return f"requests go to {' and '.join(targets)}" if targets else "no requests go there"


def _target(server: Server, route: Route) -> str:
    return f"{server.host}:{route.target}"
