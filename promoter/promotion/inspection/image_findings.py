"""Compare images, tags and secrets with the record. Pure."""

from collections.abc import Mapping

from promoter.model.diff import joined
from promoter.model.findings import Finding, FindingKind
from promoter.model.images import Digest
from promoter.promotion.inspection.record import Record
from promoter.promotion.ports.registry import Manifest


def identities(digest: Digest, manifests: tuple[Manifest, ...]) -> frozenset[Digest]:
    """Return all digests of one image: its own, and those of its platforms and of their configurations."""
    found = {digest}
    for manifest in manifests:
        found |= {manifest.digest, *manifest.children, *((manifest.config,) if manifest.config else ())}
    return frozenset(found)


def manifest_gone(record: Record, service: str) -> Finding:
    image = record.plan.images[service]
    return Finding(service, None, FindingKind.MANIFEST_GONE, f"images.{service}", str(image), None)


def other_bytes(record: Record, service: str) -> Finding:
    """Return the finding for a registry that answers with other bytes under the recorded digest."""
    image, path = record.plan.images[service], f"images.{service}"
    return Finding(service, None, FindingKind.DIGEST, path, str(image.digest), f"other bytes in {image.repository}")


def tag_finding(record: Record, service: str, found: Digest) -> Finding | None:
    """Return a finding if a tag names another image than the recorded one, and than those that the pipeline made since."""
    image, tag = record.plan.release.images[service], record.tags[service]
    if found == image.digest or found in record.own_tags.get(service, frozenset()):
        return None
    expected, path = f"{image.repository}:{tag} is {image.digest}", f"tags.{service}"
    return Finding(service, None, FindingKind.TAG_MOVED, path, expected, str(found))


def secret_findings(record: Record, hashes: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each secret whose source has another value than at the promotion. `hashes` are those of now."""
    return [
        Finding("", None, FindingKind.SECRETS_CHANGED, joined("secrets", name), "the value at the promotion", "another value")
        for name, recorded in sorted(record.plan.secrets.items())
        if name in hashes and hashes[name] != recorded
    ]


def file_finding(service: str, container: str, path: str) -> Finding:
    return Finding(
        service, container, FindingKind.FILE_CHANGED, joined("files", path), "the content at the promotion", "other content"
    )
