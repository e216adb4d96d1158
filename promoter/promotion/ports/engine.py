"""Port: a Docker Engine."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import NamedTuple, Protocol

from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.secrets import Secrets


# ---------------------------------------------------------------- engine
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


@dataclass(frozen=True)
class FileContent:
    """A file inside a container. `content` may contain secret handles."""

    path: str
    content: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


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


class Engine(Protocol):
    """One Docker engine. All calls are safe to repeat; `start` of a running and `stop` of a stopped container do nothing."""

    address: str

    def identify(self) -> EngineIdentity:
        """Identify the engine. Raise EngineError, with the remedy, if nothing answers."""

    def has_image(self, image: ImageRef) -> bool:
        """Return whether the image with exactly this digest is here, under this repository."""

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        """Pull an image by digest. Raise PullError, also for an error inside the stream."""

    def push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        """Push an image, and return the manifest digest that the push itself named. Raise PushError."""

    def image_id(self, reference: str) -> str | None:
        """Return the engine's own id of a local image (`sha256:…`)."""

    def image_digests(self, image_id: str, repository: Repository) -> tuple[Digest, ...]:
        """Return the digests of this local image in that repository; they do not prove that it was pushed."""

    def remove_image(self, image: ImageRef) -> bool:
        """Remove the digest reference; return False if it is still in use or not there."""

    def image_volumes(self, image: ImageRef) -> tuple[str, ...]:
        """Return the paths that the image declares as VOLUME; none if the image is not here."""

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        """Create a network if it is missing. Raise StartError for an existing one without the labels `owner`."""

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        """Create a volume if it is missing. Raise StartError for an existing one without the labels `owner`."""

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of every container of the engine, also of stopped ones, by name, with one request."""

    def published_ports(self) -> tuple[PublishedPort, ...]:
        """Return the host's ports of all running containers, with one request."""

    def listening_ports(self, ports: Collection[int]) -> tuple[ListeningPort, ...]:
        """Return those of these TCP ports on which a process of the host listens, other than for a published port.

        Empty if the host is another machine, or if it is unknown whether it is.
        """

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """Return all containers, also stopped ones, that have these labels."""

    def inspect(self, reference: str) -> Container | None:
        """Return a container by id or name, or None."""

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        """Return how a container was created, and how `spec` would create it; None if there is no such container."""

    def read(self, container: str, path: str) -> str | None:
        """Return the text of a small file inside a container; None if there is no such container or file."""

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        """Create a container on all its networks, with its files, and return its id. It is not started. Raise StartError."""

    def start(self, container: str) -> None:
        """Start a container. Raise StartError with the engine's reason (port taken, bad command, …)."""

    def stop(self, container: str, grace: timedelta | None) -> None:
        """Stop a container; `grace` None means its own stop timeout."""

    def rename(self, container: str, name: str) -> None: ...

    def remove(self, container: str, *, volumes: bool = False) -> None:
        """Remove a container by force; with `volumes` also its unshared anonymous volumes. A missing container is no error."""

    def exec(self, container: str, command: Sequence[str], timeout: float, output: Output | None = None) -> ExecResult:
        """Run `command` inside. The exit code is 124 after `timeout` seconds, and 126 or 127 as in a shell.

        `output` gets everything that the command writes, while the result keeps only the first part. With `output`, an
        interruption of the run ends the call; the command may continue to run.
        """

    def wait(self, container: str, timeout: float) -> int | None:
        """Return the exit code, or None if it still runs after `timeout` seconds."""

    def logs(self, container: str, tail: int) -> str:
        """Return the last lines of stdout and stderr together."""

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        """Return the lines that were written after `since`, the end of an earlier part; if it is empty, the last lines."""

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        """Return the digest of the container's own image in `repository`; None if it is not known.

        If the image has several digests, the expected one is preferred.
        """
