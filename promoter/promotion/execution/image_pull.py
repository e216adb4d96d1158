"""Bringing an image to an engine by its digest, through the environment's own registry where it has one."""

from promoter.model.images import ImageRef
from promoter.promotion.ports.engine import Engine, Progress
from promoter.promotion.ports.registry import Registry


def fetch(
    engine: Engine, registry: Registry, made_as: ImageRef, image: ImageRef, platform: str | None, progress: Progress
) -> bool:
    """False when the engine had it already and nothing was moved. `made_as` is where the release has it."""
    if engine.has_image(image):
        return False
    if made_as.repository != image.repository:
        registry.copy(made_as, image.repository)
    engine.pull(image, platform, progress)
    return True
