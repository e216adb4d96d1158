"""Authenticate to a registry: with Basic, or with Bearer tokens from the token service that its challenge names.

The first request is sent without a credential; the challenge in the answer says which one is needed. A credential that
was accepted is kept for the host and scope, in memory only.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from promoter.adapters.registry import errors
from promoter.adapters.registry.credentials import Credentials, Login
from promoter.adapters.registry.http import Answer, Endpoint, RegistryRequest
from promoter.model.dataclass import dataclass
from promoter.model.errors import RegistryError
from promoter.model.pattern import pattern

CLIENT = "promoter"
_SCHEME = pattern(r"(?:^|,)\s*(Bearer|Basic)(?=\s|$)", re.IGNORECASE)
_PARAMETER = pattern(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SHORTEST_LIFE = 60.0


@dataclass(frozen=True)
class Challenge:
    """One challenge of a `WWW-Authenticate` header. `scheme` is `basic` or `bearer`."""

    scheme: str
    parameters: Mapping[str, str]


def read_challenges(header: str) -> tuple[Challenge, ...]:
    """Parse a `WWW-Authenticate` header, in its order; skip unsupported schemes."""
    pieces = _SCHEME.split(header)[1:]
    named = zip(pieces[::2], pieces[1::2], strict=True)
    return tuple(
        Challenge(scheme.lower(), {m[1].lower(): m[2] or m[3] or "" for m in _PARAMETER.finditer(rest)}) for scheme, rest in named
    )


class Proof:
    """The Authorization headers of one registry."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials, reach: Callable[[str], Endpoint]) -> None:
        self._endpoint, self._credentials, self._reach = endpoint, credentials, reach
        self._kept: dict[str, tuple[str, float]] = {}
        self._basic: str | None = None
        self._lock = threading.Lock()

    def header(self, scope: str) -> str | None:
        """Return the last Authorization header, if it is still valid."""
        with self._lock:
            token, until = self._kept.get(scope, ("", 0.0))
            return token if token and time.monotonic() < until else self._basic

    def answer(self, refusal: Answer, scope: str, what: str) -> str:
        """Return a header that meets the challenge of a 401. Raise RegistryError if there is no credential for it."""
        challenges = read_challenges(refusal.headers.get("WWW-Authenticate", ""))
        login = self._credentials.for_host(self._endpoint.host)
        for challenge in challenges:
            if challenge.scheme == "bearer":
                return self._bearer(challenge, login, scope, what)
        if login is None or not challenges:
            raise errors.refused_login(self._endpoint.host, what, anonymous=login is None)
        if login.identity_token is not None:
            raise RegistryError(
                f"registry {self._endpoint.host} wants a password, and the login holds an identity token",
                hint=f"run docker login {self._endpoint.host}",
            )
        header = _basic(login)
        with self._lock:
            self._basic = header
        return header

    def forget(self, scope: str) -> None:
        """Drop a header that was not accepted."""
        with self._lock:
            self._kept.pop(scope, None)
            self._basic = None

    def _bearer(self, challenge: Challenge, login: Login | None, scope: str, what: str) -> str:
        realm = urlsplit(challenge.parameters.get("realm", ""))
        if realm.scheme not in ("http", "https") or not realm.netloc:
            raise RegistryError(
                f"registry {self._endpoint.host} names no token service", hint=f"look at the log of {self._endpoint.host}"
            )
        service = self._reach(realm.netloc)
        if realm.scheme == "http" and not service.lenient:
            raise RegistryError(
                f"registry {self._endpoint.host} wants credentials sent without TLS to {realm.netloc}",
                hint="give its token service TLS, or allow it as an insecure registry",
            )
        asked = {"service": challenge.parameters.get("service", ""), "scope": challenge.parameters.get("scope") or scope}
        asked = {name: value for name, value in asked.items() if value}
        answer = service.absolute(*_token_request(realm.geturl(), asked, login))
        if answer.status in (400, 401, 403):
            raise errors.refused_login(self._endpoint.host, what, anonymous=login is None)
        if answer.status != 200:
            raise errors.failed(service.host, "a token request", answer.status, answer.body)
        return self._keep(scope, service.host, answer)

    def _keep(self, scope: str, service: str, answer: Answer) -> str:
        try:
            document = json.loads(answer.body)
            token = str(document.get("token") or document["access_token"])
            life = max(float(document.get("expires_in") or 0.0), _SHORTEST_LIFE)
        except (ValueError, KeyError, TypeError, AttributeError):  # not chained: the answer may hold a token
            raise RegistryError(f"token service {service} answers something other than a token") from None
        header = f"Bearer {token}"
        with self._lock:
            self._kept[scope] = (header, time.monotonic() + life * 0.9)
        return header


def _token_request(realm: str, asked: Mapping[str, str], login: Login | None) -> tuple[str, RegistryRequest]:
    if login is not None and login.identity_token is not None:
        form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": login.identity_token, **asked}
        return realm, RegistryRequest("POST", "", _FORM, urlencode(form).encode())
    if login is not None:
        asked = {**asked, "account": login.username}
    url = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(asked)}"
    return url, RegistryRequest("GET", "", {} if login is None else {"Authorization": _basic(login)})


def _basic(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
