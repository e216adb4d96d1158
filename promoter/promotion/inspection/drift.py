"""Compare registry and engine with the ledger: the last check before a promotion with gates begins."""

from promoter.ledger.attempts import ActivePromotion
from promoter.ledger.deployment import Deployment
from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef
from promoter.model.labels import Namespace, Role, Slot, promotion_of, role_of, service_of, slots
from promoter.model.release import Release
from promoter.promotion.plan import Plan
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.registry import Registry
from promoter.promotion.ports.runtime import Runtime


@dataclass(frozen=True)
class KnownContainers:
    """What the ledger records of an environment: the deployment with its release, and an interrupted promotion."""

    current: Deployment | None
    before: Release | None
    start: ActivePromotion | None = None
    start_release: Release | None = None


def moved(engine: Runtime, registry: Registry, namespace: Namespace, plan: Plan, known: KnownContainers) -> str | None:
    """Return the sentence that describes what has changed, or None.

    A container that has stopped or is gone is not a change: nothing else runs in its place. A container of an interrupted
    promotion is expected. Raise DigestMismatch if the registry answers with other bytes under a digest.
    """
    current, before = known.current, known.before
    for service, image in plan.release.images.items():
        if registry.manifest(image) is None:
            return f"the registry no longer holds {image} ({service}): build and push the release again, or promote another"
    if current is None or before is None:
        return None
    for service, image in before.images.items():
        for container in _serving(engine, namespace, plan, service, current):
            expected = _expected(container, service, image, known)
            found = _digest_of(engine, container, expected, plan.images.get(service))
            if found != expected.digest:
                return _describe_move(
                    namespace.environment, container, image, str(found) if found else "an image of another origin", current
                )
    return None


def _serving(engine: Runtime, namespace: Namespace, plan: Plan, service: str, current: Deployment) -> list[Container]:
    """Return the containers that run in the service's place, found by their labels or by name."""
    config = plan.environment.services.get(service)
    names = slots(namespace, service, config.replicas, config.container_name) if config else slots(namespace, service, 1, None)
    by_name = [engine.inspect(slot.name) for slot in names if isinstance(slot, Slot)]
    labelled = [
        one
        for one in engine.find(namespace.labels)
        if service_of(one.labels) == service and role_of(one.labels) == Role.LIVE and _is_of(current, one)
    ]
    found = {one.id: one for one in (*labelled, *by_name) if one is not None and one.running}
    return list(found.values())


def _is_of(current: Deployment, container: Container) -> bool:
    """Return whether the container is of this deployment.

    A container that a later promotion left unchanged has the label of the promotion that created it.
    """
    recorded = {one for running in current.services.values() for one in running.containers}
    return container.id in recorded or promotion_of(container.labels) == current.promotion


def _expected(container: Container, service: str, image: ImageRef, known: KnownContainers) -> ImageRef:
    """Return the expected image: of the interrupted promotion, or else of the verified one.

    An interrupted promotion may have started a kept container again; that one has an older label.
    """
    if known.start is None or known.start_release is None or known.current is None or _is_of(known.current, container):
        return image
    return known.start_release.images.get(service, image)


def _digest_of(engine: Runtime, container: Container, image: ImageRef, there: ImageRef | None) -> Digest | None:
    """Return the digest of a container. An environment may pull the same bytes from a repository of its own."""
    found = engine.digest_of(container.id, image.repository, image.digest)
    if found is None and there is not None and there.repository != image.repository:
        return engine.digest_of(container.id, there.repository, image.digest)
    return found


def _describe_move(environment: str, container: Container, image: ImageRef, found: str, current: Deployment) -> str:
    return (
        f"{container.name} in {environment} runs {found}, and {image.digest} was verified there: it was changed outside "
        f"promoter; look at it, then `promoter promote {current.release[:12]} --to {environment}` restores the verified one"
    )
