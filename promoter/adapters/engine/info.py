"""The facts that an engine reports about itself, for diagnostics: version, API, clock and data directory."""

from datetime import UTC, datetime

from promoter.adapters.engine import podman
from promoter.adapters.engine.client import NEWEST
from promoter.adapters.engine.engine import DockerEngine
from promoter.model.dataclass import dataclass


@dataclass(frozen=True)
class About:
    """The facts about one engine.

    `offered` is the newest API that it has, `spoken` the one in use. `at` is the time of its clock, if it reports one.
    """

    name: str
    version: str
    offered: str
    spoken: str
    at: datetime | None
    root: str
    product: str = "Docker Engine"

    @property
    def newer(self) -> bool:
        """Return whether the engine is newer than this version of promoter supports."""
        return tuple(int(part) for part in self.offered.split(".")) > NEWEST


def about(engine: DockerEngine) -> About:
    """Ask the engine about itself. Raise EngineError."""
    info = engine.ask(f"the engine at {engine.address} could not be checked", "GET", "/info").json()
    client = engine.client()
    spoken = "{}.{}".format(*client.api)
    return About(
        str(info.get("Name") or ""),
        str(info.get("ServerVersion") or ""),
        client.offered or spoken,
        spoken,
        _time(info.get("SystemTime")),
        str(info.get("DockerRootDir") or ""),
        podman.ENGINE if client.podman else About.product,
    )


def _time(text: object) -> datetime | None:
    """Parse a time whose seconds may have nine decimal places; keep six."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
