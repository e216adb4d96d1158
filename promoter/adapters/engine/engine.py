"""DockerEngine: the Engine port on the Docker SDK, put together from its parts."""

import hashlib

from promoter.adapters.engine import podman
from promoter.adapters.engine.containers import Containers
from promoter.adapters.engine.errors import renamed
from promoter.adapters.engine.exec import Execution
from promoter.adapters.engine.host_ports import HostPorts
from promoter.adapters.engine.image_build import Building
from promoter.adapters.engine.images import Images
from promoter.adapters.engine.networks import Networks
from promoter.adapters.engine.observation import Observing
from promoter.promotion.ports.container import EngineIdentity


class DockerEngine(Images, Containers, Execution, Networks, Observing, Building, HostPorts):
    """One Docker engine, connected at the first call."""

    def identify(self) -> EngineIdentity:
        """Identify the engine over a new connection, so that an engine that is shutting down is not accepted."""
        with renamed(f"the engine at {self.address} could not be identified"), self.client().reconnected() as client:
            info = client.call("GET", "/info").json()
        # The ID alone is not enough: two engines on one machine can share the file from which it is made.
        marks = podman.marks(info) if client.podman else (info["ID"], info["DockerRootDir"], info["Name"])
        mark = hashlib.sha256("\n".join(marks).encode()).hexdigest()
        return EngineIdentity(
            mark, info["Name"], info["ServerVersion"], info.get("SystemTime") or "", info.get("LiveRestoreEnabled") is True
        )
