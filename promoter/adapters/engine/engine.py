"""DockerEngine: the Engine port on the Docker SDK, put together from its rooms."""

import hashlib

from promoter.adapters.engine.building import Building
from promoter.adapters.engine.containers import Containers
from promoter.adapters.engine.execution import Execution
from promoter.adapters.engine.images import Images
from promoter.adapters.engine.networks import Networks
from promoter.ports import EngineIdentity


class DockerEngine(Images, Containers, Execution, Networks, Building):
    """One Docker engine, connected at the first call."""

    def identify(self) -> EngineIdentity:
        info = self.ask(f"the engine at {self.address} could not be identified", "GET", "/info").json()
        # The ID alone is not enough: two engines of one machine can share the file that it is made from.
        marks = "\n".join((info["ID"], info["DockerRootDir"], info["Name"]))
        return EngineIdentity(hashlib.sha256(marks.encode()).hexdigest(), info["Name"], info["ServerVersion"])
