"""Copying an image from one repository to another, byte for byte: blobs first, then manifests, children before parents.

What is there already is not sent again. The digest cannot change, because nothing is unpacked or written anew.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

import requests

from promoter.adapters.registry import faults
from promoter.adapters.registry.transport import Answer, Request
from promoter.model.digest import Digest, ImageRef, Repository
from promoter.ports import Manifest

PIECE = 1024 * 1024


class Client(Protocol):
    """What copying needs of the registry client."""

    def manifest(self, image: ImageRef) -> Manifest | None: ...

    def proven(self, repository: Repository, actions: str, request: Request, what: str) -> Answer: ...

    def streaming(
        self, repository: Repository, actions: str, request: Request, body: Iterator[bytes] | None = None
    ) -> AbstractContextManager[requests.Response]: ...


class Copier:
    """Copies over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def copy(self, image: ImageRef, to: Repository) -> None:
        target = ImageRef(to, image.digest)
        if self._client.manifest(target) is not None:
            return
        manifest = self._client.manifest(image)
        if manifest is None:
            raise faults.missing(image.repository.host, str(image))
        for child in manifest.children:
            self.copy(ImageRef(image.repository, child), to)
        for digest, size in _blobs(manifest):
            self._blob(image.repository, digest, size, to)
        self._put(manifest, target)

    def _blob(self, source: Repository, digest: Digest, size: int, to: Repository) -> None:
        what = f"push {to}@{digest}"
        there = self._client.proven(to, "pull,push", Request("HEAD", f"/v2/{to.path}/blobs/{digest}", {}), what)
        if there.status == 200:
            return
        query = {"mount": str(digest), "from": source.path} if source.host == to.host else {}
        begin = Request("POST", f"/v2/{to.path}/blobs/uploads/?{urlencode(query)}", {"Content-Length": "0"})
        answer = self._client.proven(to, "pull,push", begin, what)
        if answer.status == 201:  # mounted from the other repository of the same registry
            return
        if answer.status != 202:
            raise faults.failed(to.host, what, answer.status, answer.body)
        location = answer.headers["Location"]
        separator = "&" if "?" in location else "?"
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        request = Request("PUT", f"{location}{separator}{urlencode({'digest': str(digest)})}", headers)
        with self._pieces(source, digest) as pieces, self._client.streaming(to, "pull,push", request, pieces) as done:
            if done.status_code != 201:
                raise faults.failed(to.host, what, done.status_code, done.content[:2000])

    @contextmanager
    def _pieces(self, source: Repository, digest: Digest) -> Iterator[Iterator[bytes]]:
        request = Request("GET", f"/v2/{source.path}/blobs/{digest}", {})
        with self._client.streaming(source, "pull", request) as answer:
            if answer.status_code != 200:
                raise faults.failed(source.host, f"pull {source}@{digest}", answer.status_code, answer.content[:2000])
            yield answer.iter_content(PIECE)

    def _put(self, manifest: Manifest, target: ImageRef) -> None:
        what = f"push {target}"
        path = f"/v2/{target.repository.path}/manifests/{target.digest}"
        request = Request("PUT", path, {"Content-Type": manifest.media_type}, manifest.body)
        answer = self._client.proven(target.repository, "pull,push", request, what)
        if answer.status not in (200, 201, 202):
            raise faults.failed(target.repository.host, what, answer.status, answer.body)


def _blobs(manifest: Manifest) -> list[tuple[Digest, int]]:
    """Configuration and layers, with their sizes in bytes; an index has none of its own."""
    document: Mapping[str, Any] = json.loads(manifest.body)
    entries = [document["config"]] if "config" in document else []
    entries += [layer for layer in document.get("layers", []) if not layer.get("urls")]
    return [(Digest.parse(entry["digest"]), entry["size"]) for entry in entries]
