"""A real Docker Swarm of three managers: each is an engine in a network namespace of its own, with its own host name.

    state/engine/range                 the addresses of this swarm, as for an engine
    state/node-1 … node-3              socket, pid file, data and log of each node
    state/registry, state/locked       two registries that every node reaches: one without a password, one with a password

Root's part is in `parts/swarm_root.py`.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parts import lab_state, processes, talk
from parts.errors import LabError
from parts.machine import SEARCH, as_root

NODES = (1, 2, 3)
PASSWORD = ("ana", "hunter2")
_READY = 60.0


@dataclass(frozen=True)
class Swarm:
    """A running swarm. Nodes have the numbers 1 to 3, and the host names node-1 to node-3."""

    state: Path
    registry: str
    locked: str

    def url(self, node: int) -> str:
        return url(self.state, node)

    def address(self, node: int) -> str:
        """Return the IP address of a node."""
        return f"{self.registry.rpartition('.')[0]}.{10 + node}"

    def act(self, verb: str, node: int) -> None:
        """Do something to a node: kill, start, cut, connect, deny or allow; the last two are about the registries."""
        _as_root(self.state, verb, str(node), why=f"{verb} a node of the private swarm")

    def await_nodes(self, ready: int) -> None:
        """Wait until the managers that run agree that this many nodes are ready."""
        await_nodes(self.state, ready)

    def leader(self) -> int:
        """Return the number of the node that leads, as the first manager that answers sees it."""
        for node in _nodes(self.state):
            if (node.get("ManagerStatus") or {}).get("Leader"):
                return int(node["Description"]["Hostname"].rpartition("-")[2])
        raise LabError("the swarm has no leader")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from the swarm. What a test that was killed left cut or ended is there again."""
        with _alone(self.state):
            if ready_nodes(self.state) != {len(NODES)}:
                _as_root(self.state, "heal", "", why="repair the private swarm")
            yield


def up(state: Path, registry_program: str, kind: Mapping[str, Any]) -> Swarm:
    """Start it, or what is missing of it. `kind` has `programs` and `settings` of its engines, as in `engine.start`."""
    state.mkdir(mode=0o755, exist_ok=True)
    with _alone(state):
        lab_state.remember(state, dict(kind))
        _as_root(state, "up", registry_program, why="start a private swarm")
    return known(state)


def known(state: Path) -> Swarm:
    """Return the swarm of a directory."""
    return Swarm(state, f"{front(state)}.2:5000", f"{front(state)}.2:5001")


def down(state: Path) -> None:
    if state.exists():
        _as_root(state, "down", "", why="stop the private swarm")


def url(state: Path, node: int) -> str:
    return f"unix://{state}/node-{node}/docker.sock"


def kind_of(engine_url: str) -> dict[str, Any]:
    """Return the programs and settings that an engine of this lab runs with; none for another engine."""
    found = lab_state.recall(Path(engine_url.removeprefix("unix://")).parent.parent)
    return {key: found[key] for key in ("programs", "settings") if key in found}


def await_nodes(state: Path, ready: int) -> None:
    if not processes.until(lambda: ready_nodes(state) == {ready}, _READY, every=0.1):
        raise LabError(f"the swarm has {ready_nodes(state)} nodes that are ready, not {ready}")


def ready_nodes(state: Path) -> set[int]:
    """Return how many nodes are ready, and how many reachable as a manager: one number when both agree.

    The swarm notices them at different times. The first manager that answers is asked.
    """
    nodes = _nodes(state)
    ready = sum(one["Status"]["State"] == "ready" for one in nodes)
    return {ready, sum((one.get("ManagerStatus") or {}).get("Reachability") == "reachable" for one in nodes)}


def front(state: Path) -> str:
    """Return the first three numbers of the addresses of nodes and registries."""
    second = (state / "engine/range").read_text().split(".")[1]
    return f"10.{second}.255"


def _nodes(state: Path) -> list[dict[str, Any]]:
    for node in NODES:
        try:
            status, text = talk.get(url(state, node), "/nodes")
        except OSError:
            continue
        if status == 200:
            found: list[dict[str, Any]] = json.loads(text)
            return found
    return []


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Lock the directory itself: what starts and stops in it does not replace it."""
    with lab_state.machine_lock(str(state)):
        yield


def _as_root(state: Path, verb: str, word: str, *, why: str) -> None:
    script = Path(__file__).resolve().parents[1] / "swarm.py"
    path = os.pathsep.join([*lab_state.recall(state).get("programs", ()), SEARCH])
    as_root(["env", f"PATH={path}", sys.executable, "-B", str(script), verb, str(state), word, str(os.getgid())], why=why)
