"""The ports on which processes of the engine's host listen. Known only if that host is this machine."""

import socket
from collections.abc import Collection, Iterator
from typing import Any

from promoter.adapters.engine.connection import Link
from promoter.adapters.listening_sockets import ListeningSocket, SocketOwner, listening, owners, program_of, serving
from promoter.promotion.ports.container import ListeningPort

_FORWARDERS = ("ssh", "socat")
"""Programs whose socket leads to an engine of another machine."""
_OF_ENGINES = (
    *("docker-proxy", "dockerd", "com.docker.back", "rootlesskit", "rootlessport", "slirp4netns"),
    *("conmon", "podman", "pasta", "pasta.avx2"),
)
"""Programs that listen for containers: such a port is free once its container is gone."""
UNKNOWN = "a process outside Docker"


class HostPorts(Link):
    """The method of the Engine port that looks at this machine, not at the engine."""

    def listening_ports(self, ports: Collection[int]) -> tuple[ListeningPort, ...]:
        path = self.client().local_socket
        engine = serving(path) if path is not None and ports else None
        if engine is None or program_of(engine) in _FORWARDERS:
            return ()
        found = listening(engine, ports)
        if not found or self._host() != socket.gethostname():
            return ()
        return tuple(self._named(found))

    def _named(self, found: Collection[ListeningSocket]) -> Iterator[ListeningPort]:
        seen = owners({one.inode for one in found})
        for one in found:
            owner = seen.get(one.inode)
            if owner is not None:
                if owner.program not in _OF_ENGINES:
                    yield self._of_process(one, owner)
            elif not self._shares_network():
                yield ListeningPort(UNKNOWN, {}, one.address, one.port)

    def _of_process(self, one: ListeningSocket, owner: SocketOwner) -> ListeningPort:
        document = self._container(owner.container) if owner.container else None
        if document is not None:
            labels = dict((document.get("Config") or {}).get("Labels") or {})
            return ListeningPort(f"container {document['Name'].lstrip('/')}", labels, one.address, one.port)
        return ListeningPort(f"{owner.program or 'a program'} (process {owner.process})", {}, one.address, one.port)

    def _container(self, identifier: str) -> dict[str, Any] | None:
        return self.document(f"container {identifier[:12]} could not be inspected", "/containers/{0}/json", identifier)

    def _host(self) -> str:
        return str(self.ask("the engine's host is unknown", "GET", "/info").json()["Name"])

    def _shares_network(self) -> bool:
        """Return whether a container uses the host's network: a process that is not visible here may be in it."""
        running = self.ask("containers could not be listed", "GET", "/containers/json").json()
        return any((entry.get("HostConfig") or {}).get("NetworkMode") == "host" for entry in running)
