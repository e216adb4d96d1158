"""Find images of past releases that may be removed. Pure: it reads the ledger and removes nothing."""

from itertools import islice

from promoter.ledger.state import State
from promoter.model.images import ImageRef
from promoter.promotion.plan import Plan

KEPT_IN_MIND = 5
"""The number of past promotions of an environment that are searched for images that no environment uses any more.

Each promotion removes those of the one before the previous. A few more are tried, because an image may have been in use then.
Each try is a request to the engine.
"""


def earlier_images(state: State, plan: Plan, previous: str | None) -> list[ImageRef]:
    """Return images of releases from before the previous one that no environment uses any more."""
    name = plan.environment.name
    kept = {previous} if previous else set()
    kept |= {release for other, entry in state.environments.items() if other != name for release in entry.recent()}
    named = set(plan.images.values())
    for release in kept:
        named |= set(state.releases[release].release.images.values())
    latest = [deployment for _, deployment in islice(state.environment(name).verified.backwards(), KEPT_IN_MIND)]
    lived = dict.fromkeys(deployment.release for deployment in reversed(latest))
    earlier = dict.fromkeys(image for release in lived for image in state.releases[release].release.images.values())
    return [image for image in earlier if image not in named]
