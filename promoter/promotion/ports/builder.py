"""Port: builds an image into the engine's store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from promoter.model.images import Repository
from promoter.pipeline.compose.build import Build
from promoter.promotion.ports.secrets import Secrets


# ---------------------------------------------------------------- build and registry
@dataclass(frozen=True, slots=True)
class BuildRequest:
    """`directory` is what relative paths start from. `args` and inline Dockerfile may hold secret handles."""

    service: str
    build: Build
    directory: Path
    repository: Repository
    tag: str
    labels: Mapping[str, str]
    platform: str | None = None


class Builder(Protocol):
    """Makes an image in the engine's store, tagged `repository:tag`. Raises BuildError."""

    name: str

    def refuse(self, request: BuildRequest) -> str | None:
        """Before anything is done: the sentence that says why this request cannot be built here, or None."""

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        """Builds; each line of the log is passed on as it comes."""
