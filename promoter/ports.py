"""Everything promoter asks of the world, and nothing else. Adapters answer; tests answer with fakes.

Errors: an adapter raises the errors of `promoter.model.errors` and no others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from promoter.compose.service import Build, Service
from promoter.model.digest import Digest, ImageRef, Reference, Repository
from promoter.model.errors import CallerError
from promoter.model.facts import Draft, Fact, Head
from promoter.model.forge import DeploymentRecord, ImageRecord, Occasion, Platform, Review, Target
from promoter.model.release import Source
from promoter.state import State


# ---------------------------------------------------------------- clock, secrets, source, files
class Clock(Protocol):
    """Time, and the one way to wait: every wait ends early when the run is being interrupted."""

    def now(self) -> datetime:
        """Now, with zone UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def sleep(self, seconds: float) -> None:
        """Waits, or raises Interrupted at once when the run is being interrupted."""

    def check(self) -> None:
        """Raises Interrupted when the run is being interrupted."""


class Secrets(Protocol):
    """Values of declared secrets. They leave this door only towards an engine or a child process."""

    def prove(self, names: Sequence[str]) -> None:
        """Raises SecretError, naming each secret of `names` that cannot be had."""

    def reveal(self, text: str) -> str:
        """`text` with every secret handle replaced by its value."""

    def redact(self, text: str) -> str:
        """`text` with every value that was revealed replaced by `[secret NAME]`."""

    def keyed_hash(self, name: str, salt: str) -> str:
        """A slow salted hash of the value: 64 hex digits; `salt` is hex."""


class Snapshot(Protocol):
    """The files of a repository at one commit."""

    @property
    def commit(self) -> str: ...

    def read(self, path: Path) -> bytes:
        """A file by its absolute path in the checkout. Raises OSError, also for what is outside of the repository."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """The files that words of a command name, relative to `directory`, with their digests."""


class SourceControl(Protocol):
    """The repository that holds the pipeline file."""

    def source(self, directory: Path) -> Source:
        """Commit, branch, version and whether there are uncommitted changes (promoter's own files not counted)."""

    def snapshot(self, directory: Path, ref: str) -> "Snapshot":
        """The files as a ref has them. Raises CallerError, with what to fetch, when the ref is not here."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """The same as they are on the disk, of those that the repository tracks."""

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        """One line a commit after `old` up to `new`, newest first; None when the repository cannot tell."""


class Signer(Protocol):
    """A person's SSH key: in a file, in an agent, or on a hardware token."""

    def sign(self, text: str, key: str) -> str:
        """The armored signature over exactly `text`, in the namespace of approvals. Raises SigningError."""


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
        """Lets go of the digest reference; False when something still uses it or it is not there."""

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


# ---------------------------------------------------------------- build and registry
@dataclass(frozen=True, slots=True)
class BuildRequest:
    """`directory` is what relative paths start from. `args` and inline Dockerfile may hold secret handles."""

    service: str
    build: Build
    directory: Path
    repository: Repository
    tag: str
    labels: Mapping[str, str]
    platform: str | None = None


class Builder(Protocol):
    """Makes an image in the engine's store, tagged `repository:tag`. Raises BuildError."""

    name: str

    def refuse(self, request: BuildRequest) -> str | None:
        """Before anything is done: the sentence that says why this request cannot be built here, or None."""

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        """Builds; each line of the log is told as it comes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a registry holds under a digest; the digest was computed from the bytes here, not believed."""

    digest: Digest
    media_type: str
    size: int
    config: Digest | None
    children: tuple[Digest, ...]
    body: bytes = b""


class Registry(Protocol):
    """The distribution API, with the docker CLI's credentials. Raises RegistryError."""

    def ping(self, host: str) -> None:
        """Raises when the registry does not answer or refuses the credentials."""

    def manifest(self, image: ImageRef) -> Manifest | None:
        """None when the registry does not hold it. Raises DigestMismatch when the bytes are others."""

    def resolve(self, reference: Reference) -> Digest:
        """The digest that the reference has now (`latest` without a tag)."""

    def tag(self, image: ImageRef, tag: str) -> None:
        """Makes `tag` name this very manifest, by its bytes, without moving anything."""

    def copy(self, image: ImageRef, to: Repository) -> None:
        """Makes `to` hold the same bytes under the same digest: manifest, its children, and every blob."""


# ---------------------------------------------------------------- probes
@dataclass(frozen=True, slots=True)
class HttpRequest:
    url: str
    method: str
    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`status` None when no answer came; then `error` says why. `body` is text, at most 1 MiB."""

    status: int | None
    body: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """`exit_code` None when it was not done within its time. `output` is the tail of both streams."""

    exit_code: int | None
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`exit_code` None when it was not done within its time, 127 when there is no such program.

    `output` is all of stdout, or None when it is too long to be kept; `errors` is the tail of stderr.
    """

    exit_code: int | None
    output: bytes | None
    errors: str
    seconds: float


class Probes(Protocol):
    """Looks at a running environment from outside."""

    def http(self, request: HttpRequest) -> HttpAnswer:
        """One try."""

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        """Runs a child process beside the pipeline file; it and its children end with the timeout."""

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        """Runs an installed program in a private directory that holds `files` and nothing else, and goes with it."""


# ---------------------------------------------------------------- the platform that runs the jobs
class Forge(Protocol):
    """One repository on the platform that hosts it and runs its jobs. Raises ForgeError, and CallerError for a wrong question."""

    platform: Platform
    repository: str

    def prove(self) -> None:
        """Raises when the repository does not answer, or the token is not good for it. Changes nothing."""

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        """Starts a job. It may be started twice when an answer is lost: what it does must bear that."""

    def reviews(self, environment: str) -> tuple[Review, ...]:
        """What people decided about this very run, or job, going on to what the platform calls `environment`."""

    def record(self, record: DeploymentRecord) -> None:
        """Adds to the platform's own history of deployments."""

    def record_image(self, image: ImageRecord) -> None:
        """Says which image serves at one place from now on."""

    def close(self) -> None: ...


Forges = Callable[[Platform | None], Forge]
"""The platform of this job or checkout; None takes whichever it is. Raises CallerError when repository or token is missing."""


def no_forge(platform: Platform | None) -> Forge:
    """Where there is none."""
    raise CallerError(f"there is no {platform.shown if platform else 'platform'} here")


# ---------------------------------------------------------------- ledger
@dataclass(frozen=True, slots=True)
class Lease:
    """The right to change one environment. `token` grows with every holder; `took_over` names a stale owner."""

    environment: str
    owner: str
    token: int
    took_over: str | None = None


LONGEST_LEASE = timedelta(hours=1)
"""A lease that is to hold for longer was taken by a clock that is ahead, and counts as stale: it must not last for years."""


def is_alive(expires: datetime, now: datetime) -> bool:
    """Whether a lease that runs out at `expires` still holds, as far as the clock that says `now` can tell."""
    return now < expires <= now + LONGEST_LEASE


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as others see it: it may be stale by now."""

    environment: str
    owner: str
    token: int
    since: datetime
    expires: datetime


Gone = Callable[[str], bool]
"""Whether the owner of a lease is known to have ended."""


def nobody(owner: str) -> bool:
    """Of nobody is it known."""
    del owner
    return False


class Ledger(Protocol):
    """Facts of one pipeline, appended with the expected head; and leases. Raises LedgerError."""

    location: str

    def read(self, after: int = 0) -> Iterator[Fact]:
        """Facts with a sequence number above `after`, in order."""

    def lines(self) -> Iterator[bytes]:
        """The exact lines, unchecked, from the first."""

    def append(self, draft: Draft, head: Head, at: datetime) -> Fact:
        """Durably appends right after `head`. Raises HeadMoved when somebody else was first."""

    def restore(self, facts: Sequence[Fact], head: Head) -> None:
        """Durably appends facts of another ledger as they are, right after `head`: all or none. Raises HeadMoved."""

    def acquire(self, environment: str, owner: str, ttl: timedelta, now: datetime, gone: Gone = nobody) -> Lease:
        """Raises LeaseHeld while another owner's lease is alive; one that is stale, or whose owner is gone, is taken over."""

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> None:
        """Raises LeaseLost when another holds it now."""

    def release(self, lease: Lease) -> None:
        """Gives it back; one that is lost already is no error."""

    def held(self) -> tuple[Held, ...]:
        """All leases that were not given back, stale ones too, by the name of their environment."""

    def close(self) -> None: ...


class Witness(Protocol):
    """What was last seen of this ledger from here."""

    def seen(self) -> Head | None:
        """Under its place as it is spelled; None when nothing was."""

    def entries(self) -> Mapping[str, Head]:
        """Of all ledgers, under their places and under their chains."""

    def policy_ref(self) -> str | None:
        """The git ref that held the policy of the pipeline here, whichever ledger said so."""

    def note(self, head: Head, chain: str | None = None, policy_ref: str | None = None) -> None:
        """Remembers it under both, as well as it can, and the ref that holds the policy."""


class Kept(Protocol):
    """A state that is kept beside a ledger, so that looking at a long one does not mean reading all of it.

    It is never what a decision rests on, and can be thrown away at any time.
    """

    def load(self) -> State | None:
        """The last one that was saved, read row by row as it is looked at; None when there is none that can be read."""

    def save(self, state: State) -> None:
        """Keeps `state`, which `load` gave or which follows on from that or from nothing; as well as it can."""

    def beside(self) -> Self:
        """An empty one, to compare with. It is gone when it is closed."""

    def same(self, other: Self) -> bool:
        """Whether both say the same; also where they end with another fact, and nobody can tell."""

    def forget(self) -> None: ...

    def close(self) -> None: ...


# ---------------------------------------------------------------- all of it
@dataclass(frozen=True)
class World:
    """The ports of one run. `patient` is a clock whose waits cannot be interrupted: putting things back uses it."""

    clock: Clock
    patient: Clock
    secrets: Secrets
    engine: Callable[[str | None], Engine]
    registry: Registry
    builder: Callable[[Engine], Builder]
    probes: Probes
    source: SourceControl
    gone: Gone = nobody
    signer: Signer | None = None
    insecure: frozenset[str] = frozenset()
    """Registries that may be asked without TLS, or with certificates that nobody vouches for."""
    forge: Forges = no_forge
    patient_probes: Probes | None = None
    """Probes that no interruption ends."""

    def lasting(self) -> "World":
        """The same, with a clock and probes that cannot be interrupted."""
        return replace(self, clock=self.patient, probes=self.patient_probes or self.probes)
