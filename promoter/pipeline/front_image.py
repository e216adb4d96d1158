"""The image of the fronts of a file. A release pins one image for each service, so all environments have the same front."""

from promoter.model.images import BadReference, Reference
from promoter.pipeline.file_text import FileText
from promoter.pipeline.front import FRONT
from promoter.pipeline.model import ToPin
from promoter.pipeline.resolver import Resolver


def front_image(text: FileText, resolver: Resolver) -> ToPin | None:
    """Return the image of the front; None if no environment has one. Report a wrong one as a diagnostic."""
    found: dict[str, str] = {}
    for name, environment in text.environments.items():
        if "strategy" not in environment.raw or (image := resolver.front_image(name)) is None:
            continue
        spot = environment.spot / "front" / "image" if (environment.spot / "front").exists else environment.spot / "strategy"
        if (other := next((n for n, i in found.items() if i != image), None)) is not None:
            message = f"the front of {name} is {image}, but that of {other} is {found[other]}"
            text.complaints.add(spot, message, "name one image: a release pins one front for all environments", environment=name)
        found[name] = image
    if not found:
        return None
    if FRONT in text.layers:
        message = f"`{FRONT}` is the name of promoter's own service in front of the others"
        text.complaints.add(text.layers[FRONT].spot, message, "choose another name for this service", on_key=True)
    name, image = next(iter(found.items()))
    try:
        return ToPin(Reference.parse(image))
    except BadReference as error:
        text.complaints.add(text.environments[name].spot / "front" / "image", str(error), environment=name)
        return None
