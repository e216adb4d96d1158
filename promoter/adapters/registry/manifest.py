"""Convert bytes from a registry to a Manifest. The digest is always computed from the bytes, never read from a header."""

import json
from collections.abc import Iterable

from promoter.model.canonical_json import sha256_hex
from promoter.model.errors import RegistryError
from promoter.model.images import BadReference, Digest
from promoter.promotion.ports.registry import Manifest

KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join(KINDS)
"""All four types, in every request: with fewer, a registry may convert the manifest, and other bytes have another digest."""


def digest_of(body: bytes) -> Digest:
    return Digest(sha256_hex(body))


def read_manifest(body: bytes, content_type: str, name: str) -> Manifest:
    """Parse a manifest. Raise RegistryError if the bytes are not an image manifest or index."""
    try:
        document = json.loads(body)
        kind = str(document.get("mediaType") or content_type.partition(";")[0].strip())
        config = document.get("config")
        found = Digest.parse(config["digest"]) if config else None
        children = _digests(document.get("manifests") or ())
    except (ValueError, KeyError, TypeError, AttributeError, BadReference) as error:
        raise RegistryError(
            f"{name} is not an image manifest: {error}", hint="push the image again with a current tool"
        ) from error
    if kind not in KINDS:
        raise RegistryError(
            f"{name} has the media type {kind or 'of nothing'}, which is not an image that can be run",
            hint="push the image again with a current tool",
        )
    return Manifest(digest_of(body), kind, len(body), found, children, body)


def _digests(entries: Iterable[dict[str, str]]) -> tuple[Digest, ...]:
    return tuple(Digest.parse(entry["digest"]) for entry in entries)
