"""What an engine says about itself, for whoever looks whether it will do: version, API, clock, and where its data lies."""

from dataclasses import dataclass
from datetime import UTC, datetime

from promoter.adapters.engine.client import NEWEST
from promoter.adapters.engine.engine import DockerEngine


@dataclass(frozen=True, slots=True)
class About:
    """`offered` is the newest API that it has, `spoken` the one that is used with it. `at` is its clock, where it tells one."""

    name: str
    version: str
    offered: str
    spoken: str
    at: datetime | None
    root: str

    @property
    def newer(self) -> bool:
        """Whether it has more than this version of promoter was written for."""
        return tuple(int(part) for part in self.offered.split(".")) > NEWEST


def about(engine: DockerEngine) -> About:
    """Raises EngineError."""
    info = engine.ask(f"the engine at {engine.address} could not be looked at", "GET", "/info").json()
    client = engine.client()
    spoken = "{}.{}".format(*client.api)
    return About(
        str(info.get("Name") or ""), str(info.get("ServerVersion") or ""), client.offered or spoken, spoken,
        _time(info.get("SystemTime")), str(info.get("DockerRootDir") or ""),
    )  # fmt: skip


def _time(text: object) -> datetime | None:
    """With nine digits of a second, of which six are told apart."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
