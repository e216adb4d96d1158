"""A registry in memory that passes the contract suite. `offer` adds an image; `fail` makes the next call fail."""

import json
import threading
from collections import defaultdict, deque

from promoter.model.canonical_json import sha256_hex
from promoter.model.errors import NotInRegistry
from promoter.model.images import Digest, ImageRef, Reference, Repository
from promoter.promotion.ports.registry import Manifest

KIND = "application/vnd.oci.image.manifest.v1+json"


class FakeRegistry:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._manifests: dict[ImageRef, Manifest] = {}
        self._tags: dict[tuple[Repository, str], Digest] = {}
        self._failures: dict[str, deque[Exception]] = defaultdict(deque)
        self._lock = threading.Lock()

    def offer(self, image: ImageRef, tag: str | None = None) -> None:
        """Add `image` to the registry, with arbitrary content."""
        self._manifests[image] = Manifest(image.digest, KIND, 0, None, ())
        if tag:
            self._tags[image.repository, tag] = image.digest

    def put(self, repository: Repository, tag: str, body: bytes, kind: str = KIND) -> Digest:
        """Add content and its tag, as a push does."""
        document, digest = json.loads(body), Digest(sha256_hex(body))
        config = Digest.parse(document["config"]["digest"]) if "config" in document else None
        children = tuple(Digest.parse(child["digest"]) for child in document.get("manifests", ()))
        self._manifests[ImageRef(repository, digest)] = Manifest(digest, kind, len(body), config, children, body)
        self._tags[repository, tag] = digest
        return digest

    def fail(self, verb: str, error: Exception) -> None:
        """Make the next `verb` (ping, manifest, resolve, tag) raise `error`; several are queued."""
        self._failures[verb].append(error)

    def tags_of(self, repository: Repository) -> dict[str, Digest]:
        return {tag: digest for (owner, tag), digest in self._tags.items() if owner == repository}

    def ping(self, host: str) -> None:
        self._called("ping", host)

    def manifest(self, image: ImageRef) -> Manifest | None:
        self._called("manifest", image)
        return self._manifests.get(image)

    def resolve(self, reference: Reference) -> Digest:
        self._called("resolve", reference)
        digest = reference.digest or self._tags.get((reference.repository, reference.tag or "latest"))
        if digest is None or ImageRef(reference.repository, digest) not in self._manifests:
            raise _missing(reference)
        return digest

    def copy(self, image: ImageRef, to: Repository) -> None:
        self._called("copy", image, to)
        manifest = self._manifests.get(image)
        if manifest is None:
            raise _missing(image)
        for child in manifest.children:
            self.copy(ImageRef(image.repository, child), to)
        self._manifests[ImageRef(to, image.digest)] = manifest

    def tag(self, image: ImageRef, tag: str) -> None:
        self._called("tag", image, tag)
        if image not in self._manifests:
            raise _missing(image)
        self._tags[image.repository, tag] = image.digest

    def _called(self, verb: str, *words: object) -> None:
        with self._lock:
            self.calls.append((verb, *words))
            if self._failures[verb]:
                raise self._failures[verb].popleft()


def _missing(name: object) -> NotInRegistry:
    return NotInRegistry(f"the registry does not have {name}", hint="push it there first")
