"""Values of the ports of engines and swarms: containers and what they are made from, networks, volumes and ports."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import NamedTuple

from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef
from promoter.pipeline.compose.service import Service


@dataclass(frozen=True)
class EngineIdentity:
    """The engine that answers at an address. `fingerprint` differs for two engines, even on one machine."""

    fingerprint: str
    name: str
    version: str
    at: str = field(default="", compare=False)
    """The time of its clock, in the format of RFC 3339."""
    keeps_containers: bool = False
    """Whether containers continue to run while the engine is restarted; otherwise the engine stops them after its restart."""


@dataclass(frozen=True)
class NetworkSpec:
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    ipam: Mapping[str, object] | None = None
    enable_ipv4: bool | None = None


@dataclass(frozen=True)
class VolumeSpec:
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerSpec:
    """One container, all names resolved: `service.networks` and volume sources are the engine's own names.

    Strings of `service` may contain secret handles; `Engine.create` reveals them. `files` are put inside before the first
    start. `publish` False publishes no host ports (jobs, candidates).
    """

    name: str
    image: ImageRef
    service: Service
    labels: Mapping[str, str]
    files: tuple["FileContent", ...] = ()
    publish: bool = True
    ephemeral_ports: bool = False
    """Publish every TCP port on a free loopback port that the engine chooses, instead of the ports in the file."""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """Anonymous volumes of the previous container: the path inside, and the engine's name of the volume."""
    volumes: Mapping[str, VolumeSpec] = field(default_factory=dict)
    """The named volumes of a service of a swarm: a node creates them when a task mounts them."""


@dataclass(frozen=True)
class FileContent:
    """A file inside a container. `content` may contain secret handles.

    `name` is that of the secret or config in a swarm, and `secret` says which of the two it is.
    """

    path: str
    content: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444
    name: str = ""
    secret: bool = False


@dataclass(frozen=True)
class HealthProbe:
    """One entry of the engine's health log."""

    at: str
    exit_code: int
    output: str


@dataclass(frozen=True)
class Container:
    """A container as the engine shows it now. `published` maps `8080/tcp` to (host address, port)."""

    id: str
    name: str
    labels: Mapping[str, str]
    status: str
    exit_code: int
    oom_killed: bool
    restart_count: int
    started_at: str
    health: str | None
    health_log: tuple[HealthProbe, ...]
    healthcheck: tuple[str, ...] | None
    """The effective test: the service's, else the image's; None if there is none or it is NONE."""
    published: Mapping[str, tuple[str, int]]
    error: str = ""
    finished_at: str = ""
    anonymous: Mapping[str, str] = field(default_factory=dict)
    """Its anonymous volumes: the path inside, and the engine's name of the volume."""
    addresses: frozenset[str] = frozenset()
    """Its IP addresses on its networks, while it runs."""
    shortfall: str = ""
    """Why a service of a swarm has fewer running tasks than it should; empty for a container of an engine."""

    @property
    def gone(self) -> bool:
        """Return whether its removal has begun: it never runs again, and its name will be free."""
        return self.status in ("removing", "dead")

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class Observation:
    """How a container was created, beside how a spec would create it. Paths are in Compose's words, such as `environment.LEVEL`.

    Both have only what is set and what the engine shows. Handles of secrets stay in `wanted`.
    """

    wanted: Mapping[str, object]
    found: Mapping[str, object]
    digests: frozenset[Digest]
    """Every digest under which the engine knows the container's image: of an index, of a platform or of a configuration."""
    image: str
    """The name from which the container was created, and when its image was made."""
    not_compared: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    output: str
    timed_out: bool = False
    """Whether the command had not finished in its time. It may continue to run."""


Output = Callable[[str, str], None]
"""(`stdout` or `stderr`, text as it arrives)"""


Progress = Callable[[str, str, int | None, int | None], None]
"""(layer id, status, current bytes, total bytes)"""


class LogPart(NamedTuple):
    """A part of a container's log. `until` is the engine's time of its last line."""

    text: str
    until: str


class PublishedPort(NamedTuple):
    """A port of the host that a running container has, at one of its addresses."""

    container: str
    labels: Mapping[str, str]
    address: str
    port: int
    protocol: str


class ListeningPort(NamedTuple):
    """A TCP port of the host on which a process listens. `holder` names it for people: `nginx (process 1234)`.

    `labels` are those of the container that the process runs in, if it uses the host's network.
    """

    holder: str
    labels: Mapping[str, str]
    address: str
    port: int
