"""Port: build an image in the engine's store."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from promoter.model.dataclass import dataclass
from promoter.model.images import Repository
from promoter.pipeline.compose.build import Build
from promoter.promotion.ports.secrets import Secrets


# ---------------------------------------------------------------- build and registry
@dataclass(frozen=True)
class BuildRequest:
    """A build. Relative paths start from `directory`. `args` and an inline Dockerfile may contain secret handles."""

    service: str
    build: Build
    directory: Path
    repository: Repository
    tag: str
    labels: Mapping[str, str]
    platform: str | None = None


class Builder(Protocol):
    """Builds an image in the engine's store, tagged `repository:tag`. Raises BuildError."""

    name: str

    def refuse(self, request: BuildRequest) -> str | None:
        """Return the sentence that explains why this request cannot be built here, before anything is done; else None."""

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        """Build an image; each line of the log is passed to `log` as it arrives."""
