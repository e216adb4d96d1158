"""Port: a registry."""

from dataclasses import dataclass
from typing import Protocol

from promoter.model.images import Digest, ImageRef, Reference, Repository


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
