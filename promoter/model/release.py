"""A release: every service pinned to a digest, with its source. The same content is the same release."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from promoter.model.canonical_json import canonical, sha256_hex
from promoter.model.dataclass import dataclass
from promoter.model.images import Digest, ImageRef, Repository


@dataclass(frozen=True)
class Source:
    """Where a release was built from. Outside a checkout everything is None and `dirty` is False."""

    sha: str | None = None
    branch: str | None = None
    dirty: bool = False
    version: str | None = None
    author: str | None = None

    @property
    def short_sha(self) -> str | None:
        return self.sha[:12] if self.sha else None

    def document(self) -> dict[str, object]:
        return {"sha": self.sha, "branch": self.branch, "dirty": self.dirty, "version": self.version, "author": self.author}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Source":
        known = {k: document.get(k) for k in ("sha", "branch", "version", "author")}
        return cls(dirty=bool(document.get("dirty")), **known)


@dataclass(frozen=True)
class Release:
    """Services by name, each an ImageRef. `id` is the SHA-256 of the canonical JSON of `content()`."""

    images: Mapping[str, ImageRef]
    source: Source

    def content(self) -> dict[str, object]:
        images = {name: {"repository": str(ref.repository), "digest": str(ref.digest)} for name, ref in self.images.items()}
        return {"images": images, "source": self.source.document()}

    @cached_property
    def id(self) -> str:
        return sha256_hex(canonical(self.content()))

    @property
    def short_id(self) -> str:
        return self.id[:12]

    def document(self) -> dict[str, object]:
        return {"id": self.id, **self.content()}

    @classmethod
    def read(cls, document: Mapping[str, object]) -> "Release":
        images = document["images"]
        source = document["source"]
        assert isinstance(images, Mapping)
        assert isinstance(source, Mapping)
        refs = {name: ImageRef(Repository.parse(i["repository"]), Digest.parse(i["digest"])) for name, i in images.items()}
        return cls(refs, Source.read(source))
