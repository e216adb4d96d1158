"""An engine or a swarm under a lease: before every call that changes something there, check that this run still has the lease.

An engine that is lost during a promotion ends it at once (EngineLost): no step may treat that as its own failure, and
nothing could be restored.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from promoter.model.errors import EngineError, EngineLost
from promoter.model.images import Digest, ImageRef, Repository
from promoter.promotion.ports.container import (
    Container,
    ContainerSpec,
    EngineIdentity,
    ExecResult,
    ListeningPort,
    LogPart,
    NetworkSpec,
    Observation,
    Output,
    Progress,
    PublishedPort,
    VolumeSpec,
)
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets


class FencedRuntime:
    """A `Runtime`. `check` raises LeaseLost, so that a paused process whose lease was taken over changes nothing.

    Between the check and the answer there is one call that cannot be protected: an engine does not know leases.
    """

    def __init__(self, runtime: Runtime, check: Callable[[], None]) -> None:
        self.address = runtime.address
        self._runtime, self._check = runtime, check

    # ------------------------------------------------------------ changes
    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        self._check()
        with watched():
            self._runtime.pull(image, platform, progress)

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        self._check()
        with watched():
            self._runtime.ensure_network(spec, owner)

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        self._check()
        with watched():
            return self._runtime.create(spec, secrets)

    def start(self, container: str) -> None:
        self._check()
        with watched():
            self._runtime.start(container)

    def remove(self, container: str, *, volumes: bool = False) -> None:
        self._check()
        with watched():
            self._runtime.remove(container, volumes=volumes)

    # ------------------------------------------------------------ reads
    def has_image(self, image: ImageRef) -> bool:
        with watched():
            return self._runtime.has_image(image)

    def identify(self) -> EngineIdentity:
        with watched():
            return self._runtime.identify()

    def alive(self) -> EngineIdentity:
        """Identify the engine before an end is recorded: what a lost engine showed does not count. Raise EngineLost."""
        try:
            return self._runtime.identify()
        except EngineError as error:
            raise EngineLost(error) from error

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        with watched():
            return self._runtime.labels_by_name()

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        with watched():
            return self._runtime.find(labels)

    def inspect(self, reference: str) -> Container | None:
        with watched():
            return self._runtime.inspect(reference)

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        with watched():
            return self._runtime.observe(container, spec)

    def read(self, container: str, path: str) -> str | None:
        with watched():
            return self._runtime.read(container, path)

    def wait(self, container: str, timeout: float) -> int | None:
        with watched():
            return self._runtime.wait(container, timeout)

    def logs(self, container: str, tail: int) -> str:
        with watched():
            return self._runtime.logs(container, tail)

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        with watched():
            return self._runtime.log_since(container, tail, since)

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        with watched():
            return self._runtime.digest_of(container, repository, expected)


class FencedEngine(FencedRuntime):
    """An `Engine` under a lease."""

    def __init__(self, engine: Engine, check: Callable[[], None]) -> None:
        super().__init__(engine, check)
        self._engine = engine

    # ------------------------------------------------------------ changes
    def push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        self._check()
        with watched():
            return self._engine.push(repository, tag, progress)

    def remove_image(self, image: ImageRef) -> bool:
        self._check()
        with watched():
            return self._engine.remove_image(image)

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        self._check()
        with watched():
            self._engine.ensure_volume(spec, owner)

    def stop(self, container: str, grace: timedelta | None) -> None:
        self._check()
        with watched():
            self._engine.stop(container, grace)

    def rename(self, container: str, name: str) -> None:
        self._check()
        with watched():
            self._engine.rename(container, name)

    def exec(self, container: str, command: Sequence[str], timeout: float, output: Output | None = None) -> ExecResult:
        self._check()
        with watched():
            return self._engine.exec(container, command, timeout, output)

    # ------------------------------------------------------------ reads
    def image_volumes(self, image: ImageRef) -> tuple[str, ...]:
        with watched():
            return self._engine.image_volumes(image)

    def published_ports(self) -> tuple[PublishedPort, ...]:
        with watched():
            return self._engine.published_ports()

    def listening_ports(self, ports: Collection[int]) -> tuple[ListeningPort, ...]:
        with watched():
            return self._engine.listening_ports(ports)

    def image_id(self, reference: str) -> str | None:
        with watched():
            return self._engine.image_id(reference)

    def image_digests(self, image_id: str, repository: Repository) -> tuple[Digest, ...]:
        with watched():
            return self._engine.image_digests(image_id, repository)


@contextmanager
def watched() -> Iterator[None]:
    """Raise EngineLost if the connection to the engine is lost in the block."""
    try:
        yield
    except EngineError as error:
        if error.lost:
            raise EngineLost(error) from error
        raise
