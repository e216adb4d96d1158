"""Pull an image to an engine by its digest, from the environment's own registry if it has one."""

from promoter.model.images import ImageRef
from promoter.promotion.ports.container import Progress
from promoter.promotion.ports.registry import Registry
from promoter.promotion.ports.runtime import Runtime


def fetch(
    engine: Runtime, registry: Registry, made_as: ImageRef, image: ImageRef, platform: str | None, progress: Progress
) -> bool:
    """Pull an image. Return False if the engine already had it. `made_as` is its name in the release."""
    if engine.has_image(image):
        return False
    if made_as.repository != image.repository:
        registry.copy(made_as, image.repository)
    engine.pull(image, platform, progress)
    return True
