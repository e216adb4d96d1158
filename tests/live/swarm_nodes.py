"""What tests do to the nodes of the private swarm. Every block restores its node at the end, and waits until all are ready."""

from collections.abc import Iterator
from contextlib import contextmanager

from parts.swarm import NODES, Swarm


@contextmanager
def killed(swarm: Swarm, node: int) -> Iterator[None]:
    """End a node's daemon and its containers at once, as when a machine loses its power. It starts again at the end."""
    with _changed(swarm, node, "kill", "start"):
        yield


@contextmanager
def cut_off(swarm: Swarm, node: int) -> Iterator[None]:
    """Disconnect a node from the others and from this machine. Its containers run on, and its own socket answers."""
    with _changed(swarm, node, "cut", "connect"):
        yield


@contextmanager
def without_registry(swarm: Swarm, node: int) -> Iterator[None]:
    """Make both registries unreachable from one node. It stays a ready node."""
    with _changed(swarm, node, "deny", "allow"):
        yield


def followers(swarm: Swarm) -> list[int]:
    """Return the nodes that do not lead: after the loss of the leader, requests wait for 10 to 20 seconds."""
    leader = swarm.leader()
    return [node for node in NODES if node != leader]


@contextmanager
def _changed(swarm: Swarm, node: int, verb: str, inverse: str) -> Iterator[None]:
    swarm.act(verb, node)
    try:
        yield
    finally:
        swarm.act(inverse, node)
        swarm.await_nodes(len(NODES))
