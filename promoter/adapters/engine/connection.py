"""The connection that all parts of an engine share: made at the first call, kept, and thread-safe."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import requests
from docker.errors import NotFound

from promoter.adapters.engine.client import Client
from promoter.adapters.engine.errors import renamed
from promoter.adapters.retry import Retry
from promoter.model.errors import EngineError, WorldError


class Login(Protocol):
    """The login for a registry: an identity token, or a name and a password."""

    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def identity_token(self) -> str | None: ...


Logins = Callable[[str], Login | None]
"""Returns the login for a registry host, or None if there is none."""


class Link:
    """A connection to one engine.

    `address` is the engine's name in messages. `check` may raise to end a pull, push or build.
    """

    def __init__(
        self, address: str, connect: Callable[[], Client], retry: Retry, logins: Logins, check: Callable[[], None] = lambda: None
    ) -> None:
        self.address, self._check = address, check
        self._connect, self._retry, self._logins = connect, retry, logins
        self._client: Client | None = None
        self._answered = False
        self._connecting = threading.Lock()

    def client(self) -> Client:
        client = self._client
        if client is None or not client.alive:
            with self._connecting:
                client = self._client
                if client is None or not client.alive:
                    self.close()
                    client = self._client = self._reached()
        return client

    def _reached(self) -> Client:
        """Connect and return the client. Raise EngineError, with `lost` only if the engine had answered before."""
        try:
            client = self._retry(self._connect)
        except EngineError as error:
            error.lost = error.lost and self._answered
            raise
        self._answered = True
        return client

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        *names: str,
        kind: type[WorldError] = EngineError,
        **options: Any,
    ) -> requests.Response:
        """Send one request. `what` names the operation in an error message."""
        client = self.client()
        with renamed(what, kind):
            return client.call(method, path, *names, **options)

    def document(self, what: str, path: str, *names: str) -> dict[str, Any] | None:
        """Return a JSON document, or None if the engine does not have it."""
        answer = self.answer(what, path, *names)
        return None if answer is None else answer.json()

    def answer(self, what: str, path: str, *names: str, **options: Any) -> requests.Response | None:
        """Return the answer to a GET, or None if the engine does not have what is asked for."""
        client = self.client()
        with renamed(what):
            try:
                return client.call("GET", path, *names, **options)
            except NotFound:
                return None

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
