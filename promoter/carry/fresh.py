"""What registry and engine hold now, against what the ledger says: the last look before a gated promotion begins."""

from promoter.model.digest import ImageRef
from promoter.model.naming import Place, Role, Slot, promotion_of, role_of, service_of, slots
from promoter.model.release import Release
from promoter.plan import Plan
from promoter.ports import Container, Engine, Registry
from promoter.state import Deployment


def moved(
    engine: Engine, registry: Registry, place: Place, plan: Plan, here: Deployment | None, before: Release | None
) -> str | None:
    """The sentence that says what is no longer as it was, or None.

    A container that has stopped or is gone has not moved: nothing else runs in its place. Raises DigestMismatch when
    the registry answers with other bytes under a digest.
    """
    for service, image in plan.release.images.items():
        if registry.manifest(image) is None:
            return f"the registry no longer holds {image} ({service}): build and push the release again, or promote another"
    if here is None or before is None:
        return None
    for service, image in before.images.items():
        for container in _serving(engine, place, plan, service, here):
            found = engine.digest_of(container.id, image.repository, image.digest)
            if found != image.digest:
                return _say(place.environment, container, image, str(found) if found else "an image of another origin", here)
    return None


def _serving(engine: Engine, place: Place, plan: Plan, service: str, here: Deployment) -> list[Container]:
    """Those that run in the service's place: by their labels, or by the names that its containers have."""
    config = plan.environment.services.get(service)
    names = slots(place, service, config.replicas, config.container_name) if config else slots(place, service, 1, None)
    by_name = [engine.inspect(slot.name) for slot in names if isinstance(slot, Slot)]
    labelled = [
        one for one in engine.find(place.labels)
        if service_of(one.labels) == service and role_of(one.labels) == Role.LIVE and promotion_of(one.labels) == here.promotion
    ]  # fmt: skip
    found = {one.id: one for one in (*labelled, *by_name) if one is not None and one.running}
    return list(found.values())


def _say(environment: str, container: Container, image: ImageRef, found: str, here: Deployment) -> str:
    return (
        f"{container.name} in {environment} runs {found}, and {image.digest} was verified there: it was replaced behind the "
        f"ledger's back; look at it, then `promoter promote {here.release[:12]} --to {environment}` puts the verified one back"
    )
