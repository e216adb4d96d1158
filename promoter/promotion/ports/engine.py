"""Port: a Docker Engine."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from promoter.model.images import Digest, ImageRef, Repository
from promoter.promotion.ports.container import ExecResult, ListeningPort, Output, Progress, PublishedPort, VolumeSpec
from promoter.promotion.ports.runtime import Runtime


class Engine(Runtime, Protocol):
    """One Docker engine. All calls are safe to repeat; `start` of a running and `stop` of a stopped container do nothing."""

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

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        """Create a volume if it is missing. Raise StartError for an existing one without the labels `owner`."""

    def published_ports(self) -> tuple[PublishedPort, ...]:
        """Return the host's ports of all running containers, with one request."""

    def listening_ports(self, ports: Collection[int]) -> tuple[ListeningPort, ...]:
        """Return those of these TCP ports on which a process of the host listens, other than for a published port.

        Empty if the host is another machine, or if it is unknown whether it is.
        """

    def stop(self, container: str, grace: timedelta | None) -> None:
        """Stop a container; `grace` None means its own stop timeout."""

    def rename(self, container: str, name: str) -> None: ...

    def exec(self, container: str, command: Sequence[str], timeout: float, output: Output | None = None) -> ExecResult:
        """Run `command` inside. The exit code is 124 after `timeout` seconds, and 126 or 127 as in a shell.

        `output` gets everything that the command writes, while the result keeps only the first part. With `output`, an
        interruption of the run ends the call; the command may continue to run.
        """
