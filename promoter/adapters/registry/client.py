"""The Registry port over the distribution API. Only manifests are moved here; the engine moves layers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

import requests

from promoter.adapters.registry import errors, hosts
from promoter.adapters.registry.auth import Proof
from promoter.adapters.registry.copy import Copier
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.registry.http import Answer, Body, Endpoint, RegistryRequest, Timeout
from promoter.adapters.registry.manifest import ACCEPT, digest_of, read_manifest
from promoter.adapters.retry import Retry
from promoter.model.errors import DigestMismatch, RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from promoter.promotion.ports.registry import Manifest

T = TypeVar("T")


class HttpRegistry:
    """All registries, by host. Safe to share between threads."""

    def __init__(
        self,
        credentials: Credentials,
        insecure: frozenset[str] = frozenset(),
        timeout: Timeout = (5.0, 30.0),
        sleep: Callable[[float], None] = time.sleep,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a client. `check` may raise to end a copy."""
        self._check = check
        self._credentials, self._insecure, self._timeout = credentials, insecure, timeout
        self._retry = Retry(sleep)
        self._endpoints: dict[str, Endpoint] = {}
        self._proofs: dict[str, Proof] = {}
        self._lock = threading.Lock()

    def ping(self, host: str) -> None:
        self._retry(lambda: self._ping(host))

    def greeting(self, host: str) -> Answer:
        """Return the answer to `/v2/`, with any status."""
        return self._endpoint(host).send(RegistryRequest("GET", "/v2/", {}))

    def manifest(self, image: ImageRef) -> Manifest | None:
        return self._retry(lambda: self._manifest(image))

    def resolve(self, reference: Reference) -> Digest:
        return self._retry(lambda: self._resolve(reference))

    def tag(self, image: ImageRef, tag: str) -> None:
        self._retry(lambda: self._tag(image, tag))

    def copy(self, image: ImageRef, to: Repository) -> None:
        self._retry(lambda: Copier(self, self._check).copy(image, to))

    def close(self) -> None:
        """Close the open connections."""
        with self._lock:
            for endpoint in self._endpoints.values():
                endpoint.close()

    @contextmanager
    def streaming(
        self, repository: Repository, actions: str, request: RegistryRequest, what: str, body: Body | None = None
    ) -> Iterator[requests.Response]:
        """Send a request with a large answer or body, piece by piece, and authenticate if the registry requires it.

        `path` may be a whole URL. Credentials are sent to the registry itself, and not to a host to which it redirects.
        """
        endpoint, proof = self._endpoint(repository.host), self._proof(repository.host)
        scope = f"repository:{repository.path}:{actions}"
        if "://" in request.path and not endpoint.is_at(request.path):
            _refuse_in_the_clear(endpoint, request.path)
            header = None
        else:
            header = proof.header(scope)
            request = replace(request, path=endpoint.own(request.path)) if "://" in request.path else request
        with endpoint.streaming(_with(request, header), body) as response:
            if response.status_code != 401:
                yield response
                return
            refusal = Answer(401, response.headers, b"")
        proof.forget(scope)
        if body is not None:  # the body is used up: it cannot be sent a second time
            raise errors.login_ended(repository.host, what)
        with endpoint.streaming(_with(request, proof.answer(refusal, scope, what))) as response:
            yield response

    def _ping(self, host: str) -> None:
        endpoint, what = self._endpoint(host), "a first look"
        answer = endpoint.send(RegistryRequest("GET", "/v2/", {}))
        if answer.status == 401:
            proof = self._proof(host)
            header = proof.answer(answer, "", what)
            if header.startswith("Bearer "):  # the token service accepted us; a token without a scope may not be enough for /v2/
                return
            answer = endpoint.send(RegistryRequest("GET", "/v2/", {"Authorization": header}))
            if answer.status in (401, 403):
                proof.forget("")
                raise errors.refused_login(host, what, anonymous=False)
        if answer.status == 404:
            raise errors.missing(host, "/v2/, so it is no registry")
        if answer.status != 200:
            raise errors.failed(host, what, answer.status, answer.body)

    def _manifest(self, image: ImageRef) -> Manifest | None:
        answer = self._get(image.repository, str(image.digest))
        if answer is None:
            return None
        computed = digest_of(answer.body)
        if computed != image.digest:
            raise DigestMismatch(
                f"registry {image.repository.host} sends other bytes for {image}: got digest {computed}",
                hint="do not run this image; check the registry's storage and proxies",
            )
        return read_manifest(answer.body, answer.headers.get("Content-Type", ""), str(image))

    def _resolve(self, reference: Reference) -> Digest:
        repository = reference.repository
        if reference.digest is not None:
            found = self._manifest(ImageRef(repository, reference.digest))
            if found is None:
                raise errors.missing(repository.host, str(reference))
            return found.digest
        answer = self._get(repository, reference.tag or "latest")
        if answer is None:
            raise errors.missing(repository.host, f"{repository}:{reference.tag or 'latest'}")
        return read_manifest(answer.body, answer.headers.get("Content-Type", ""), str(reference)).digest

    def _tag(self, image: ImageRef, tag: str) -> None:
        manifest = self._manifest(image)
        if manifest is None:
            raise errors.missing(image.repository.host, str(image))
        what = f"push {image.repository}:{tag}"
        path = f"/v2/{image.repository.path}/manifests/{tag}"
        request = RegistryRequest("PUT", path, {"Content-Type": manifest.media_type}, manifest.body)
        answer = self.proven(image.repository, "pull,push", request, what)
        if answer.status not in (200, 201, 202):
            raise errors.failed(image.repository.host, what, answer.status, answer.body)
        actual = answer.headers.get("Docker-Content-Digest")
        if actual and actual != str(image.digest):
            raise DigestMismatch(
                f"registry {image.repository.host} stored {actual} under {tag}, expected {image.digest}",
                hint="check the registry: it must not change manifests",
            )

    def _get(self, repository: Repository, reference: str) -> Answer | None:
        separator = "@" if ":" in reference else ":"
        what = f"pull {repository}{separator}{reference}"
        request = RegistryRequest("GET", f"/v2/{repository.path}/manifests/{reference}", {"Accept": ACCEPT})
        answer = self.proven(repository, "pull", request, what)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise errors.failed(repository.host, what, answer.status, answer.body)
        return answer

    def proven(self, repository: Repository, actions: str, request: RegistryRequest, what: str) -> Answer:
        """Send a request. If the registry refuses it with 401, authenticate and send it once more."""
        endpoint, proof = self._endpoint(repository.host), self._proof(repository.host)
        scope = f"repository:{repository.path}:{actions}"
        header = proof.header(scope)
        answer = endpoint.send(_with(request, header))
        if answer.status == 401:
            proof.forget(scope)
            header = proof.answer(answer, scope, what)
            answer = endpoint.send(_with(request, header))
        if answer.status in (401, 403):
            proof.forget(scope)
            raise errors.refused_login(repository.host, what, anonymous=self._credentials.for_host(repository.host) is None)
        return answer

    def _endpoint(self, host: str) -> Endpoint:
        lenient = host in self._insecure or hosts.is_loopback(host)
        return self._kept(self._endpoints, host, lambda: Endpoint(host, self._timeout, lenient=lenient))

    def _proof(self, host: str) -> Proof:
        endpoint = self._endpoint(host)
        return self._kept(self._proofs, host, lambda: Proof(endpoint, self._credentials, self._endpoint))

    def _kept(self, kept: dict[str, T], host: str, make: Callable[[], T]) -> T:
        with self._lock:
            if host not in kept:
                kept[host] = make()
            return kept[host]


def _with(request: RegistryRequest, header: str | None) -> RegistryRequest:
    if header is None:
        return request
    return replace(request, headers={**request.headers, "Authorization": header})


def _refuse_in_the_clear(endpoint: Endpoint, url: str) -> None:
    there = urlsplit(url)
    if there.scheme != "https" and not endpoint.lenient:
        raise RegistryError(
            f"registry {endpoint.host} wants a layer sent without TLS to {there.netloc}",
            hint=f"give {there.netloc} TLS, or allow {endpoint.host} as an insecure registry",
        )
