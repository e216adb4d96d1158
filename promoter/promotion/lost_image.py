"""Create a container of a release that was here before, although the engine may have lost its image since."""

from promoter.model.errors import StartError
from promoter.promotion.ports.container import ContainerSpec
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets


def create(engine: Runtime, spec: ContainerSpec, secrets: Secrets) -> str:
    """Create a container. If that fails and its image is not here, pull the image by its digest and create it then.

    With the containerd image store, an image that was built here has only its tag, and loses it to the next build.
    """
    try:
        return engine.create(spec, secrets)
    except StartError:
        if engine.has_image(spec.image):
            raise
        engine.pull(spec.image, spec.service.platform, lambda *_: None)
        return engine.create(spec, secrets)
