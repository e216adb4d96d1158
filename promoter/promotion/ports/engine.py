"""Port: a Docker Engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.secrets import Secrets


# ---------------------------------------------------------------- engine
@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Who answers at an address. `fingerprint` differs for two engines, even on one machine."""

    fingerprint: str
    name: str
    version: str
    at: str = field(default="", compare=False)
    """Its clock, as RFC 3339 has it."""
    keeps_containers: bool = False
    """Whether containers run on while it is restarted; otherwise they are asked to end once it is back."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container, all names resolved: `service.networks` and volume sources are the engine's own names.

    Strings of `service` may hold secret handles; `Engine.create` reveals them. `files` are placed inside before
    the first start. `publish` False leaves host ports alone (jobs, candidates).
    """

    name: str
    image: ImageRef
    service: Service
    labels: Mapping[str, str]
    files: tuple["FileContent", ...] = ()
    publish: bool = True
    ephemeral_ports: bool = False
    """Publish every TCP port on a loopback port of the engine's choice instead of the ones in the file."""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """Anonymous volumes of the container before: path inside, to the engine's name of the volume."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file inside a container. `content` may hold secret handles."""

    path: str
    content: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """One entry of the engine's health log."""

    at: str
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine sees it now. `published` maps `8080/tcp` to (host address, port)."""

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
    """The effective test: the service's, else the image's; None when there is none or it is NONE."""
    published: Mapping[str, tuple[str, int]]
    error: str = ""
    finished_at: str = ""
    anonymous: Mapping[str, str] = field(default_factory=dict)
    """Its anonymous volumes: path inside, to the engine's name of the volume."""

    @property
    def gone(self) -> bool:
        """Its removal has begun: it never runs again, and its name will be free."""
        return self.status in ("removing", "dead")

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True, slots=True)
class ExecResult:
    exit_code: int
    output: str


Progress = Callable[[str, str, int | None, int | None], None]
"""(layer id, status, current bytes, total bytes)"""


class Engine(Protocol):
    """One Docker engine. All calls are safe to repeat; `start` of a running and `stop` of a stopped container do nothing."""

    address: str

    def identify(self) -> EngineIdentity:
        """Raises EngineError, with the remedy, when nothing answers."""

    def has_image(self, image: ImageRef) -> bool:
        """Whether the bytes of this very digest are here, under this repository."""

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        """By digest. Raises PullError; an error inside the stream is an error."""

    def push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        """The manifest digest that the push itself named. Raises PushError."""

    def image_id(self, reference: str) -> str | None:
        """The engine's own id of a local image (`sha256:…`)."""

    def image_digests(self, image_id: str, repository: Repository) -> tuple[Digest, ...]:
        """Digests under which this local image is known in that repository; no proof that it was pushed."""

    def remove_image(self, image: ImageRef) -> bool:
        """Remove the digest reference; False when something still uses it or it is not there."""

    def image_volumes(self, image: ImageRef) -> tuple[str, ...]:
        """Paths that the image declares as VOLUME; none when the image is not here."""

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        """Creates it unless it exists. Raises StartError for an existing one without the labels `owner`."""

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        """Creates it unless it exists. Raises StartError for an existing one without the labels `owner`."""

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every container of the engine, also of stopped ones, by its name: one request."""

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """All containers, also stopped ones, that carry these labels."""

    def inspect(self, reference: str) -> Container | None:
        """By id or name."""

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        """The id of a new container, not started, files placed, on all its networks. Raises StartError."""

    def start(self, container: str) -> None:
        """Raises StartError with the engine's reason (port taken, bad command, …)."""

    def stop(self, container: str, grace: timedelta | None) -> None:
        """Stops it; `grace` None means the container's own stop timeout."""

    def rename(self, container: str, name: str) -> None: ...

    def remove(self, container: str, *, volumes: bool = False) -> None:
        """Force; with `volumes` its anonymous volumes too, unless another uses them. A missing container is no error."""

    def exec(self, container: str, command: Sequence[str], timeout: float) -> ExecResult:
        """Runs `command` inside. Exit code 124 when `timeout` seconds were not enough, 126/127 as a shell."""

    def wait(self, container: str, timeout: float) -> int | None:
        """The exit code, or None when it still runs after `timeout` seconds."""

    def logs(self, container: str, tail: int) -> str:
        """The last lines of stdout and stderr together."""

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        """The digest that the container's own image has in `repository`; None when unknown.

        The expected one where it has several.
        """
