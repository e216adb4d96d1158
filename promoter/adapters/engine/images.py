"""The images of one engine: pull and push with streams that are read to their end, and look up by digest."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from docker.auth import encode_header
from docker.errors import APIError

from promoter.adapters.engine import inspect, streams
from promoter.adapters.engine.client import CONNECT
from promoter.adapters.engine.connection import Link, Login
from promoter.adapters.engine.errors import renamed
from promoter.model.errors import EngineError, PullError, PushError, WorldError
from promoter.model.images import DOCKER_HUB, Digest, ImageRef, Repository
from promoter.promotion.ports.container import Progress

T = TypeVar("T")
SILENCE = 180.0
"""Seconds without output after which a pull or push is cancelled. The engine then stops it too."""
_LONG_TRY = 30.0


class Images(Link):
    """The image methods of the Engine port."""

    def has_image(self, image: ImageRef) -> bool:
        document = self._image(str(image))
        return document is not None and image.digest in inspect.digests(document, image.repository)

    def pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        self._retry(lambda: _tried(lambda: self._pull(image, platform, progress)))

    def _pull(self, image: ImageRef, platform: str | None, progress: Progress) -> None:
        what = f"{image} could not be pulled"
        parameters = {"fromImage": str(image.repository), "tag": str(image.digest)}
        if platform:
            parameters["platform"] = platform
        with closing(self._stream(what, "/images/create", image.repository.host, PullError, parameters)) as lines:
            named = streams.follow_pull(lines, image.digest, progress)
        if not named and not self.has_image(image):
            raise PullError(f"{what}: the engine ended the pull without the image", hint="pull again", retryable=True)

    def push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        return self._retry(lambda: _tried(lambda: self._push(repository, tag, progress)))

    def _push(self, repository: Repository, tag: str, progress: Progress) -> Digest:
        what = f"{repository}:{tag} could not be pushed"
        path = f"/images/{repository}/push"
        with closing(self._stream(what, path, repository.host, PushError, {"tag": tag})) as lines:
            return streams.follow_push(lines, what, progress)

    def _stream(self, what: str, path: str, host: str, kind: type[WorldError], parameters: dict[str, str]) -> streams.Lines:
        # An empty login is sent too: without the header, older engines refuse to push.
        headers = self.registry_header(host)
        timeout = (CONNECT, SILENCE)
        options = {"params": parameters, "headers": headers, "stream": True, "timeout": timeout}
        return streams.read(lambda: self.ask(what, "POST", path, kind=kind, **options), what, kind, self._check)

    def registry_header(self, host: str) -> dict[str, str]:
        """Return the header with the login for a registry."""
        return {"X-Registry-Auth": encode_header(auth_config(host, self._logins(host))).decode()}

    def login_name(self, host: str) -> str | None:
        """Return the user of the login for a registry; None without a login. A token has no user."""
        login = self._logins(host)
        return None if login is None else "" if login.identity_token else login.username

    def image_id(self, reference: str) -> str | None:
        document = self._image(reference)
        return None if document is None else str(document["Id"])

    def image_digests(self, image_id: str, repository: Repository) -> tuple[Digest, ...]:
        document = self._image(image_id)
        return () if document is None else inspect.digests(document, repository)

    def image_volumes(self, image: ImageRef) -> tuple[str, ...]:
        document = self._image(str(image))
        return () if document is None else tuple((document.get("Config") or {}).get("Volumes") or ())

    def remove_image(self, image: ImageRef) -> bool:
        client = self.client()
        with renamed(f"{image} could not be removed"):
            try:
                client.call("DELETE", "/images/{0}", str(image))
            except APIError as error:
                if error.status_code in (404, 409):
                    return False
                raise
        return True

    def digest_of(self, container: str, repository: Repository, expected: Digest) -> Digest | None:
        document = self.document(f"container {container} could not be inspected", "/containers/{0}/json", container)
        if document is None:
            raise EngineError(
                f"there is no container {container} on {self.address}",
                hint="it was removed meanwhile: run the same command again",
            )
        return inspect.running_digest(document, self._image(document["Image"]), repository, expected)

    def _image(self, reference: str) -> dict[str, Any] | None:
        return self.document(f"image {reference} could not be inspected", "/images/{0}/json", reference)


def auth_config(host: str, login: Login | None) -> dict[str, str]:
    """Return the login for a registry in the engine's form; empty if there is none."""
    if login is None:
        return {}
    server = "https://index.docker.io/v1/" if host == DOCKER_HUB else host
    if login.identity_token:
        return {"identitytoken": login.identity_token, "serveraddress": server}
    return {"username": login.username, "password": login.password, "serveraddress": server}


def _tried(call: Callable[[], T]) -> T:
    """Make the call, and retry only if it failed quickly: during a long call the engine has already retried by itself."""
    started = time.monotonic()
    try:
        return call()
    except WorldError as error:
        error.retryable = error.retryable and time.monotonic() - started < _LONG_TRY
        raise
