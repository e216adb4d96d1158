"""Copy an image from one repository to another, byte for byte: first blobs, then manifests, children before parents.

Existing content is not sent again. The digest cannot change, because nothing is unpacked or repacked.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

import requests

from promoter.adapters.registry import errors
from promoter.adapters.registry.http import Answer, Body, RegistryRequest
from promoter.model.errors import RegistryError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.promotion.ports.registry import Manifest

PIECE = 1024 * 1024


class Client(Protocol):
    """The methods of the registry client that copying needs."""

    def manifest(self, image: ImageRef) -> Manifest | None: ...

    def proven(self, repository: Repository, actions: str, request: RegistryRequest, what: str) -> Answer: ...

    def streaming(
        self, repository: Repository, actions: str, request: RegistryRequest, what: str, body: Body | None = None
    ) -> AbstractContextManager[requests.Response]: ...


class Copier:
    """Copies images with one client. `check` is called between two pieces, and may raise."""

    def __init__(self, client: Client, check: Callable[[], None]) -> None:
        self._client, self._check = client, check

    def copy(self, image: ImageRef, to: Repository) -> None:
        target = ImageRef(to, image.digest)
        if self._client.manifest(target) is not None:
            return
        manifest = self._client.manifest(image)
        if manifest is None:
            raise errors.missing(image.repository.host, str(image))
        for child in manifest.children:
            self.copy(ImageRef(image.repository, child), to)
        for digest, size in _blobs(manifest):
            self._blob(image.repository, digest, size, to)
        self._put(manifest, target)

    def _blob(self, source: Repository, digest: Digest, size: int, to: Repository) -> None:
        what = f"push {to}@{digest}"
        there = self._client.proven(to, "pull,push", RegistryRequest("HEAD", f"/v2/{to.path}/blobs/{digest}", {}), what)
        if there.status == 200:
            return
        query = {"mount": str(digest), "from": source.path} if source.host == to.host else {}
        begin = RegistryRequest("POST", f"/v2/{to.path}/blobs/uploads/?{urlencode(query)}", {"Content-Length": "0"})
        answer = self._client.proven(to, "pull,push", begin, what)
        if answer.status == 201:  # mounted from the other repository of the same registry
            return
        if answer.status != 202:
            raise errors.failed(to.host, what, answer.status, answer.body)
        location = answer.headers.get("Location")
        if not location:
            raise RegistryError(f"registry {to.host} names no place to {what}", hint=f"look at the log of {to.host}")
        separator = "&" if "?" in location else "?"
        path = f"{location}{separator}{urlencode({'digest': str(digest)})}"
        request = RegistryRequest("PUT", path, {"Content-Type": "application/octet-stream"})
        with self._content(source, digest, size) as body, self._client.streaming(to, "pull,push", request, what, body) as done:
            if done.status_code != 201:
                raise errors.failed(to.host, what, done.status_code, done.content[:2000])

    @contextmanager
    def _content(self, source: Repository, digest: Digest, size: int) -> Iterator[Body]:
        what = f"pull {source}@{digest}"
        request = RegistryRequest("GET", f"/v2/{source.path}/blobs/{digest}", {})
        with self._client.streaming(source, "pull", request, what) as answer:
            if answer.status_code != 200:
                raise errors.failed(source.host, what, answer.status_code, answer.content[:2000])
            yield Body(self._pieces(answer, source.host, digest, size), size)

    def _pieces(self, answer: requests.Response, host: str, digest: Digest, size: int) -> Iterator[bytes]:
        """Yield the pieces of a blob, while they are sent to the target. Errors here are the source's, not the target's."""
        got = 0
        try:
            for piece in answer.iter_content(PIECE):
                self._check()
                got += len(piece)
                if got > size:
                    break
                yield piece
        except requests.exceptions.RequestException as error:
            raise errors.unreachable(host, error) from error
        if got != size:
            raise errors.other_length(host, str(digest), got, size)

    def _put(self, manifest: Manifest, target: ImageRef) -> None:
        what = f"push {target}"
        path = f"/v2/{target.repository.path}/manifests/{target.digest}"
        request = RegistryRequest("PUT", path, {"Content-Type": manifest.media_type}, manifest.body)
        answer = self._client.proven(target.repository, "pull,push", request, what)
        if answer.status not in (200, 201, 202):
            raise errors.failed(target.repository.host, what, answer.status, answer.body)


def _blobs(manifest: Manifest) -> list[tuple[Digest, int]]:
    """Return the configuration and the layers, with their sizes in bytes. An index has none."""
    document: Mapping[str, Any] = json.loads(manifest.body)
    entries = [document["config"]] if "config" in document else []
    entries += [layer for layer in document.get("layers", []) if not layer.get("urls")]
    return [(Digest.parse(entry["digest"]), entry["size"]) for entry in entries]
