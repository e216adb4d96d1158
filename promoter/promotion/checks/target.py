"""The target of checks: one release in one environment."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef
from promoter.model.labels import Namespace
from promoter.model.release import Release
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.container import FileContent, VolumeSpec
from promoter.promotion.ports.runtime import Runtime


@dataclass(frozen=True)
class CheckTarget:
    """One release in one environment. `fresh`: it has just started there, so earlier measurements do not count."""

    namespace: Namespace
    release: Release
    images: Mapping[str, ImageRef]
    promotion: str
    services: Mapping[str, Service]
    files: Callable[[str], tuple[FileContent, ...]]
    directory: Path
    engine: Runtime
    fresh: bool = False
    once: str | None = None
    """The name of a job that must not run twice; its container stays until its result is recorded."""
    volumes: Callable[[str], Mapping[str, VolumeSpec]] = lambda _: {}
    """The named volumes of a service, which the nodes of a swarm create."""
    owner: str | None = None
    """The process that runs the check without having the environment's lease."""

    def made(self, services: tuple[str, ...]) -> dict[str, ImageRef]:
        """Return the images of `services` (empty: all) in the repositories of the release: signatures are stored there."""
        return {name: self.release.images[name] for name in services or self.services}


def command_environment(site: CheckTarget) -> dict[str, str]:
    """Return the variables that a command check gets in addition to promoter's own environment."""
    images = {f"PROMOTER_IMAGE_{re.sub('[^A-Z0-9]', '_', n.upper())}": str(ref) for n, ref in site.images.items()}
    return {"PROMOTER_RELEASE": site.release.id, "PROMOTER_ENVIRONMENT": site.namespace.environment, **images}
