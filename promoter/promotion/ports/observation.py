"""Ports that only read: what a comparison of the record with engine and registry may ask.

The protocols have no method that changes anything, so the type checker refuses a comparison that would act.
"""

from collections.abc import Mapping
from typing import Protocol

from promoter.model.images import Digest, ImageRef, Reference
from promoter.promotion.ports.container import Container, ContainerSpec, EngineIdentity, Observation
from promoter.promotion.ports.registry import Manifest


class EngineView(Protocol):
    """An engine that is only read: every call is a GET."""

    address: str

    def identify(self) -> EngineIdentity:
        """Identify the engine. Raise EngineError, with the remedy, if nothing answers."""

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """Return all containers, also stopped ones, that have these labels."""

    def inspect(self, reference: str) -> Container | None:
        """Return a container by id or name, or None."""

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        """Return how a container was created, and how `spec` would create it; None if there is no such container."""

    def read(self, container: str, path: str) -> str | None:
        """Return the text of a small file inside a container; None if there is no such container or file."""


class RegistryView(Protocol):
    """A registry that is only read: every call is a GET."""

    def manifest(self, image: ImageRef) -> Manifest | None:
        """Return the manifest, or None if the registry does not have it. Raise DigestMismatch if the bytes are different."""

    def resolve(self, reference: Reference) -> Digest:
        """Return the digest of a tag now. Raise NotInRegistry if there is no such tag."""
