"""Services of a swarm that were changed by hand: they keep their name and id, so their settings must be compared."""

from json import dumps

from promoter.model.secrets import OPENING
from promoter.promotion.inspection.record import Record
from promoter.promotion.ports.container import Observation
from promoter.promotion.ports.observation import EngineView


def changed_services(engine: EngineView, record: Record) -> tuple[str, ...]:
    """Return a sentence for each service of a swarm that is not as it was recorded; none for an engine."""
    if record.plan.environment.swarm is None:
        return ()
    found = []
    for service, running in record.deployment.services.items():
        for container in running.containers:
            seen = engine.observe(container, record.spec(service, record.slots(service)[0].name))
            if seen is not None and (paths := differences(seen, record, service)):
                found.append(f"{service} was changed outside promoter ({', '.join(paths)})")
    return tuple(found)


def differences(seen: Observation, record: Record, service: str) -> tuple[str, ...]:
    """Return the paths of what differs: the image, and settings."""
    image = () if record.plan.images[service].digest in seen.digests else ("image",)
    return (*image, *differing(seen))


def differing(seen: Observation) -> tuple[str, ...]:
    """Return the paths of settings that differ, but not of those that contain secrets."""
    paths = sorted(seen.wanted.keys() | seen.found.keys())
    return tuple(path for path in paths if _differs(seen.wanted.get(path), seen.found.get(path)))


def _differs(wanted: object, found: object) -> bool:
    return wanted != found and not (found is not None and OPENING in dumps(wanted, default=str))
