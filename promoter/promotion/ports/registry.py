"""Port: a registry."""

from typing import Protocol

from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef, Reference, Repository


@dataclass(frozen=True)
class Manifest:
    """The content of a digest in a registry. The digest was computed here from the bytes."""

    digest: Digest
    media_type: str
    size: int
    config: Digest | None
    children: tuple[Digest, ...]
    body: bytes = b""


class Registry(Protocol):
    """The distribution API, with the docker CLI's credentials. Raises RegistryError."""

    def ping(self, host: str) -> None:
        """Check the registry. Raise RegistryError if it does not answer or refuses the credentials."""

    def manifest(self, image: ImageRef) -> Manifest | None:
        """Return the manifest, or None if the registry does not have it. Raise DigestMismatch if the bytes are different."""

    def resolve(self, reference: Reference) -> Digest:
        """Return the digest that the reference has now (`latest` without a tag). Raise NotInRegistry if there is none."""

    def tag(self, image: ImageRef, tag: str) -> None:
        """Make `tag` name exactly this manifest, by its bytes. No layer is moved."""

    def copy(self, image: ImageRef, to: Repository) -> None:
        """Make `to` contain the same bytes under the same digest: manifest, its children, and every blob."""
