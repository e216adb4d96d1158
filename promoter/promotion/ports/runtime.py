"""Port: where the services of an environment run, an engine or a swarm. What both can do."""

from collections.abc import Mapping
from typing import Protocol

from promoter.model.images import Digest, ImageRef, Repository
from promoter.promotion.ports.container import (
    Container,
    ContainerSpec,
    EngineIdentity,
    LogPart,
    NetworkSpec,
    Observation,
    Progress,
)
from promoter.promotion.ports.secrets import Secrets


class Runtime(Protocol):
    """An engine, or a swarm, where each service is shown as one container. All calls are safe to repeat."""

    address: str

    def identify(self) -> EngineIdentity:
        """Identify the engine. Raise EngineError, with the remedy, if nothing answers."""

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of every container of the engine, also of stopped ones, by name, with one request."""

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """Return all containers, also stopped ones, that have these labels."""

    def inspect(self, reference: str) -> Container | None:
        """Return a container by id or name, or None."""

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        """Return how a container was created, and how `spec` would create it; None if there is no such container."""

    def read(self, container: str, path: str) -> str | None:
        """Return the text of a small file inside a container; None if there is no such container or file."""

    def has_image(self, image: ImageRef) -> bool:
        """Return whether the image with exactly this digest is here, under this repository. A swarm does not know."""

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        """Pull an image by digest. Raise PullError, also for an error inside the stream. A swarm's nodes do it by themselves."""

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        """Create a network if it is missing. Raise StartError for an existing one without the labels `owner`."""

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        """Create a container on all its networks, with its files, and return its id. It is not started. Raise StartError."""

    def start(self, container: str) -> None:
        """Start a container. Raise StartError with the engine's reason (port taken, bad command, …)."""

    def wait(self, container: str, timeout: float) -> int | None:
        """Return the exit code, or None if it still runs after `timeout` seconds."""

    def remove(self, container: str, *, volumes: bool = False) -> None:
        """Remove a container by force; with `volumes` also its unshared anonymous volumes. A missing container is no error."""

    def logs(self, container: str, tail: int) -> str:
        """Return the last lines of stdout and stderr together."""

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        """Return the lines that were written after `since`, the end of an earlier part; if it is empty, the last lines."""

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        """Return the digest of the container's own image in `repository`; None if it is not known.

        If the image has several digests, the expected one is preferred.
        """
