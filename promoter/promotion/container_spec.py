"""One service to put in place, and the result for one replica."""

from collections.abc import Mapping
from dataclasses import field

from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef
from promoter.model.labels import COLOR, Namespace, Role, Slot, container_labels, promotion_of, slots
from promoter.model.ownership import Labels, owner_labels
from promoter.pipeline.compose.service import Service
from promoter.pipeline.front import COLORS, server
from promoter.pipeline.front_spec import Front
from promoter.pipeline.model import Environment
from promoter.promotion.ports.container import Container, ContainerSpec, FileContent, VolumeSpec
from promoter.promotion.steps import Proof


@dataclass(frozen=True)
class ContainerRequest:
    """One service to put in place.

    `live` and `earlier` are ids of recorded containers that match this request: running ones, and stopped ones that were kept.
    """

    namespace: Namespace
    service: str
    config: Service
    image: ImageRef
    release: str
    promotion: str
    files: tuple[FileContent, ...]
    proof: Proof
    ledger: str | None = None
    live: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    front: "Fronted | None" = None
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)

    @property
    def owner(self) -> Labels:
        return owner_labels(self.namespace, self.service)

    def is_wanted(self, container: Container) -> bool:
        """Return whether a container matches: created by this promotion, or recorded as the same."""
        return promotion_of(container.labels) == self.promotion or container.id in self.live | self.earlier

    def spec(
        self, name: str, role: Role, inherited: Mapping[str, str] | None = None, server: "Server | None" = None
    ) -> ContainerSpec:
        """Return the container to create. `server` is what it is in the front, if it is behind one."""
        labels = container_labels(
            self.namespace, self.service, self.release, str(self.image.digest), self.promotion, role, self.ledger
        )
        candidate = role is Role.CANDIDATE
        config = without_aliases(self.config) if candidate else _reachable_by_name(self.config, self.service)
        if server is not None:
            config, labels = _reachable_by_name(config, server.host), {**labels, COLOR: server.color}
        return ContainerSpec(
            name,
            self.image,
            config,
            labels,
            self.files,
            publish=not candidate,
            ephemeral_ports=candidate,
            inherited=inherited or {},
            volumes=self.volumes,
        )


@dataclass(frozen=True)
class Fronted:
    """The front of an environment, for itself and for a service behind it. `slots` has those of each service behind it."""

    settings: Front
    slot: Slot
    owner: Labels
    slots: Mapping[str, tuple[Slot, ...]]


@dataclass(frozen=True)
class Server:
    """A server of the front: one of the two of a replica."""

    slot: Slot
    number: int
    color: str

    @property
    def name(self) -> str:
        return f"{self.color}-{self.number}"

    @property
    def host(self) -> str:
        """Return its name on the network."""
        return server(self.slot, self.color)

    @property
    def other(self) -> "Server":
        return Server(self.slot, self.number, next(color for color in COLORS if color != self.color))


@dataclass(frozen=True)
class Swapped:
    """One replica in its place. `gap` is the time in seconds in which the slot did not serve; None if it was empty before.

    `kept`: the container ran before and was not changed.
    """

    container: str
    digest: Digest
    health: str
    gap: float | None
    kept: bool = False
    started: str = ""
    """When the container was started, by the engine's clock."""
    held: float | None = None
    """Seconds in which requests waited in the front."""
    late: str | None = None
    """A sentence about a previous container that did not stop in time, with the remedy."""


def slots_of(namespace: Namespace, environment: Environment, service: str) -> tuple[Slot, ...]:
    """Return the names of a service's replicas on an engine. In a swarm the service has one name, and the replicas have none."""
    config = environment.services[service]
    if environment.swarm is not None:
        return slots(namespace, service, 1, None)
    return slots(namespace, service, config.replicas, config.container_name)


def volumes_of(environment: Environment, service: str, owner: Labels) -> dict[str, VolumeSpec]:
    """Return the volumes of a service that the nodes of a swarm create when a task mounts them."""
    if environment.swarm is None:
        return {}
    sources = {mount.source for mount in environment.services[service].volumes if mount.type == "volume"}
    used = (volume for name, volume in environment.volumes.items() if name in sources and not volume.external)
    return {one.name: VolumeSpec(one.name, {**one.labels, **owner}, one.driver, one.options) for one in used}


def killed(container: str, seconds: float, *, init: bool) -> str:
    """Return the sentence about a container that the engine had to kill: the time that it took, and the remedy."""
    remedy = "let its program end on SIGTERM" if init else "add `init: true` to the service, or let its program end on SIGTERM"
    return f"{container} did not end within {seconds:.0f}s of its stop signal and was killed: {remedy}"


def without_aliases(service: Service) -> Service:
    """Return the service without the names under which others reach it."""
    networks = {name: attachment.model_copy(update={"aliases": ()}) for name, attachment in service.networks.items()}
    return service.model_copy(update={"networks": networks, "container_name": None, "hostname": None})


def _reachable_by_name(service: Service, name: str) -> Service:
    """Return the service with its own name as an alias on each of its networks."""
    networks = {
        network: settings if name in settings.aliases else settings.model_copy(update={"aliases": (*settings.aliases, name)})
        for network, settings in service.networks.items()
    }
    return service.model_copy(update={"networks": networks})
