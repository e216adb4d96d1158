"""Compare registry and engine with the ledger: the last check before a promotion with gates begins."""

from dataclasses import dataclass

from promoter.ledger.state import ActivePromotion, Deployment
from promoter.model.images import Digest, ImageRef
from promoter.model.labels import Place, Role, Slot, promotion_of, role_of, service_of, slots
from promoter.model.release import Release
from promoter.promotion.plan import Plan
from promoter.promotion.ports.engine import Container, Engine
from promoter.promotion.ports.registry import Registry


@dataclass(frozen=True)
class KnownContainers:
    """What the ledger records of an environment: the deployment with its release, and an interrupted promotion."""

    here: Deployment | None
    before: Release | None
    start: ActivePromotion | None = None
    begun: Release | None = None


def moved(engine: Engine, registry: Registry, place: Place, plan: Plan, known: KnownContainers) -> str | None:
    """Return the sentence that describes what has changed, or None.

    A container that has stopped or is gone is not a change: nothing else runs in its place. A container of an interrupted
    promotion is expected. Raise DigestMismatch if the registry answers with other bytes under a digest.
    """
    here, before = known.here, known.before
    for service, image in plan.release.images.items():
        if registry.manifest(image) is None:
            return f"the registry no longer holds {image} ({service}): build and push the release again, or promote another"
    if here is None or before is None:
        return None
    for service, image in before.images.items():
        for container in _serving(engine, place, plan, service, here):
            expected = _expected(container, service, image, known)
            found = _digest_of(engine, container, expected, plan.images.get(service))
            if found != expected.digest:
                return _describe_move(
                    place.environment, container, image, str(found) if found else "an image of another origin", here
                )
    return None


def _serving(engine: Engine, place: Place, plan: Plan, service: str, here: Deployment) -> list[Container]:
    """Return the containers that run in the service's place, found by their labels or by name."""
    config = plan.environment.services.get(service)
    names = slots(place, service, config.replicas, config.container_name) if config else slots(place, service, 1, None)
    by_name = [engine.inspect(slot.name) for slot in names if isinstance(slot, Slot)]
    labelled = [
        one
        for one in engine.find(place.labels)
        if service_of(one.labels) == service and role_of(one.labels) == Role.LIVE and _is_of(here, one)
    ]
    found = {one.id: one for one in (*labelled, *by_name) if one is not None and one.running}
    return list(found.values())


def _is_of(here: Deployment, container: Container) -> bool:
    """Return whether the container is of this deployment.

    A container that a later promotion left unchanged has the label of the promotion that created it.
    """
    recorded = {one for running in here.services.values() for one in running.containers}
    return container.id in recorded or promotion_of(container.labels) == here.promotion


def _expected(container: Container, service: str, image: ImageRef, known: KnownContainers) -> ImageRef:
    """Return the expected image: of the interrupted promotion, or else of the verified one.

    An interrupted promotion may have started a kept container again; that one has an older label.
    """
    if known.start is None or known.begun is None or known.here is None or _is_of(known.here, container):
        return image
    return known.begun.images.get(service, image)


def _digest_of(engine: Engine, container: Container, image: ImageRef, there: ImageRef | None) -> Digest | None:
    """Return the digest of a container. An environment may pull the same bytes from a repository of its own."""
    found = engine.digest_of(container.id, image.repository, image.digest)
    if found is None and there is not None and there.repository != image.repository:
        return engine.digest_of(container.id, there.repository, image.digest)
    return found


def _describe_move(environment: str, container: Container, image: ImageRef, found: str, here: Deployment) -> str:
    return (
        f"{container.name} in {environment} runs {found}, and {image.digest} was verified there: it was changed outside "
        f"promoter; look at it, then `promoter promote {here.release[:12]} --to {environment}` restores the verified one"
    )
