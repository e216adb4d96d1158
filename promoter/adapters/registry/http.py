"""One registry host over HTTP: its scheme, pooled connections, and limits on time and size.

Answers are not interpreted here, and there is no login. netrc, cookies and environment proxies for loopback are not used,
because the credentials of a registry come from one place only.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies

from promoter.adapters.registry import errors, hosts
from promoter.model.dataclass import dataclass
from promoter.model.errors import RegistryError

POOL = 16
LARGEST_BODY = 8 * 1024 * 1024
Timeout = tuple[float, float]
"""Seconds to connect, and seconds between two bytes."""
UPLOAD = 120.0
"""Seconds for which a registry may stop accepting data of a layer, and seconds to store the whole layer and answer."""


@dataclass(frozen=True)
class RegistryRequest:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Body:
    """A body in pieces, with a known length. A registry requires `Content-Length`, without chunked encoding."""

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        self._pieces, self._size = pieces, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class Endpoint:
    """A host that answers under one name. A `lenient` one may use plain HTTP or any certificate."""

    def __init__(self, host: str, timeout: Timeout, *, lenient: bool) -> None:
        self.host, self.lenient, self._timeout = host, lenient, timeout
        self._address = hosts.address(host)
        self._loopback = hosts.is_loopback(host)
        self._session: requests.Session | None = None
        self._scheme: str | None = None
        self._lock = threading.Lock()

    def send(self, request: RegistryRequest) -> Answer:
        """Send a request and return the answer. Raise RegistryError if the answer is missing or incomplete."""
        if self._scheme is not None:
            return self._renamed(self._scheme, request)
        first, second = self._schemes()
        if second is None:
            return self._renamed(first, request)
        try:
            answer = self._once(first, request)
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ReadTimeout) as error:
            raise errors.unreachable(self.host, error) from error
        except requests.exceptions.RequestException as error:
            return self._otherwise(second, request, error)
        if first == "http" and _wants_tls(answer):
            return self._otherwise(second, request, None)
        self._scheme = first
        return answer

    def absolute(self, url: str, request: RegistryRequest) -> Answer:
        """Send a request to a whole URL on this host, such as that of a token service."""
        try:
            return self._fetch(url, request)
        except requests.exceptions.RequestException as error:
            raise errors.unreachable(self.host, error) from error

    @contextmanager
    def streaming(self, request: RegistryRequest, body: Body | None = None) -> Iterator[requests.Response]:
        """Send a request with an answer that is read in pieces, or with a body that is sent in pieces. `path` may be a whole URL.

        A body is sent once. If the answer is a redirect, the body is not sent again.
        """
        url = request.path if "://" in request.path else f"{self._spoken}://{self._address}{request.path}"
        proxies = {} if self._loopback else get_environ_proxies(url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "promoter", **request.headers}
        try:
            with self._connected().request(
                request.method,
                url,
                headers=headers,
                data=body or request.body,
                proxies=proxies,
                verify=not self.lenient,
                timeout=self._timeout if body is None else (UPLOAD, UPLOAD),
                stream=True,
                allow_redirects=body is None,
            ) as response:
                yield response
        except requests.exceptions.RequestException as error:
            raise errors.unreachable(self.host, error) from error

    def is_at(self, url: str) -> bool:
        """Return whether a URL is on this host."""
        return urlsplit(url).netloc == self._address

    def own(self, url: str) -> str:
        """Return a URL of this host with the scheme that the host uses: behind a proxy, some registries name the wrong one."""
        return urlsplit(url)._replace(scheme=self._spoken).geturl()

    @property
    def _spoken(self) -> str:
        return self._scheme or self._schemes()[0]

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _schemes(self) -> tuple[str, str | None]:
        if not self.lenient:
            return "https", None
        return ("http", "https") if self._loopback else ("https", "http")

    def _otherwise(self, scheme: str, request: RegistryRequest, first: Exception | None) -> Answer:
        """Try the other scheme; if that fails too, report the first error."""
        try:
            answer = self._once(scheme, request)
        except requests.exceptions.RequestException as error:
            raise errors.unreachable(self.host, first or error) from error
        self._scheme = scheme
        return answer

    def _renamed(self, scheme: str, request: RegistryRequest) -> Answer:
        try:
            return self._once(scheme, request)
        except requests.exceptions.RequestException as error:
            raise errors.unreachable(self.host, error) from error

    def _once(self, scheme: str, request: RegistryRequest) -> Answer:
        return self._fetch(f"{scheme}://{self._address}{request.path}", request)

    def _fetch(self, url: str, request: RegistryRequest) -> Answer:
        session = self._connected()
        proxies = {} if self._loopback else get_environ_proxies(url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "promoter", **request.headers}
        with session.request(
            request.method,
            url,
            headers=headers,
            data=request.body,
            timeout=self._timeout,
            proxies=proxies,
            verify=not self.lenient,
            stream=True,
        ) as response:
            return Answer(response.status_code, CaseInsensitiveDict(response.headers), self._body(response))

    def _body(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(64 * 1024):
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise RegistryError(
                    f"registry {self.host} sends more than {LARGEST_BODY} bytes, expected a manifest",
                    hint=f"make sure that {self.host} is a registry: curl -v {self.host}/v2/",
                )
        return b"".join(parts)

    def _connected(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session

    def _open(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(_NoCookies())
        session.mount("http://", HTTPAdapter(pool_maxsize=POOL))
        if self.lenient:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            session.mount("https://", HTTPAdapter(pool_maxsize=POOL))
        else:
            session.mount("https://", _Trusting(hosts.trust(self._address)))
        return session


class _NoCookies(DefaultCookiePolicy):
    def set_ok(self, _cookie: object, _request: object) -> bool:
        return False


class _Trusting(HTTPAdapter):
    """Verifies certificates with our own TLS context."""

    def __init__(self, context: SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=POOL)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)


def _wants_tls(answer: Answer) -> bool:
    return answer.status == 400 and b"https" in answer.body.lower() and b"http request" in answer.body.lower()
