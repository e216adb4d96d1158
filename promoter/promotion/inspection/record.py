"""What the ledger records of an environment, and which containers of the engine belong to it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from promoter.ledger.deployment import Deployment
from promoter.model.dataclass import dataclass
from promoter.model.images import Digest
from promoter.model.labels import OWNER, Namespace, Role, Slot, is_aside, role_of, service_of
from promoter.model.ownership import owner_labels
from promoter.promotion.container_spec import ContainerRequest, slots_of, volumes_of
from promoter.promotion.plan import Plan, proof_of
from promoter.promotion.ports.container import Container, ContainerSpec
from promoter.promotion.service_files import files_of


@dataclass(frozen=True)
class Record:
    """One environment as the ledger records it."""

    plan: Plan
    deployment: Deployment
    earlier: frozenset[str] = frozenset()
    """Ids of containers of earlier promotions. They stay stopped, for a rollback."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The tag of each image when it was recorded."""
    own_tags: Mapping[str, frozenset[Digest]] = field(default_factory=dict)
    """The digests of the releases that this pipeline has made under the same tag, for each service."""
    directory: Path = Path()
    """The directory of the pipeline file."""

    @property
    def namespace(self) -> Namespace:
        return Namespace(self.plan.pipeline, self.plan.environment.name)

    def relative_mounts(self, service: str) -> Mapping[str, str]:
        """Return the sources of mounts beside the pipeline file (`./conf`), by the path inside."""
        document = self.plan.document().get("services")
        config = document.get(service, {}) if isinstance(document, Mapping) else {}
        mounts = (mount for mount in config.get("volumes", ()) if str(mount.get("source", "")).startswith("./"))
        return {mount["target"]: mount["source"] for mount in mounts}

    def slots(self, service: str) -> tuple[Slot, ...]:
        return slots_of(self.namespace, self.plan.environment, service)

    def completes(self, service: str) -> bool:
        return service in self.plan.environment.services and proof_of(self.plan, service).value == "completed"

    def spec(self, service: str, name: str) -> ContainerSpec:
        """Return the spec from which the recorded plan creates a container of the service."""
        environment = self.plan.environment
        request = ContainerRequest(
            self.namespace,
            service,
            environment.services[service],
            self.plan.images[service],
            self.plan.release.id,
            self.deployment.promotion,
            files_of(self.plan, service),
            proof_of(self.plan, service),
            volumes=volumes_of(environment, service, owner_labels(self.namespace)),
        )
        return request.spec(name, Role.LIVE)


@dataclass(frozen=True)
class Replica:
    """One recorded container, its names, and what is found now. `replaced`: `found` is another container of that name."""

    service: str
    slot: Slot
    recorded: str
    found: Container | None
    replaced: bool = False


def wanted_names(record: Record, labelled: tuple[Container, ...]) -> tuple[str, ...]:
    """Return the names of recorded containers that are gone: another container may have taken a name."""
    known = {container.id for container in labelled}
    return tuple(slot.name for _, slot, recorded in _recorded(record) if recorded not in known)


def replicas_of(record: Record, labelled: tuple[Container, ...], by_name: Mapping[str, Container]) -> tuple[Replica, ...]:
    """Return a replica for each recorded container. `by_name` has the containers at the names of those that are gone."""
    known = {container.id: container for container in labelled}
    found = []
    for service, slot, recorded in _recorded(record):
        seen, other = known.get(recorded), by_name.get(slot.name)
        found.append(Replica(service, slot, recorded, seen or other, replaced=seen is None and other is not None))
    return tuple(found)


def unrecorded(record: Record, labelled: tuple[Container, ...], replicas: tuple[Replica, ...]) -> Iterator[Container]:
    """Yield the containers of the environment that the record does not name, except stopped ones that a rollback needs."""
    known = {replica.found.id for replica in replicas if replica.found is not None}
    for container in labelled:
        kept = not container.running and (is_aside(container.name) or container.id in record.earlier)
        waited_for = role_of(container.labels) == Role.JOB and OWNER in container.labels  # a check that runs now
        if container.id not in known and not waited_for and not (kept and _is_planned(record, container)):
            yield container


def _is_planned(record: Record, container: Container) -> bool:
    return service_of(container.labels) in record.plan.environment.services


def _recorded(record: Record) -> Iterator[tuple[str, Slot, str]]:
    for service, running in record.deployment.services.items():
        if service in record.plan.environment.services:
            yield from ((service, slot, one) for slot, one in zip(record.slots(service), running.containers, strict=False))
