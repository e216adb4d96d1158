"""The SDK's APIClient without what its constructor does: no config.json, no proxies, no call before the first one.

Reading config.json there would bring in credential helpers and headers that the engine must not depend on,
and REQUESTS_CA_BUNDLE would replace the engine's own CA.

A request is handed to the adapter directly. A session of requests would merge settings, cookies and proxies first, and follow
redirects: the engine uses none of them, and a promotion sends a hundred requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import requests
from docker.api.client import APIClient
from docker.auth import AuthConfig
from docker.errors import create_api_error_from_http_exception
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool
from docker.utils.proxy import ProxyConfig
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from promoter import __version__
from promoter.adapters.engine.address import Target, Tls
from promoter.adapters.engine.errors import renamed
from promoter.adapters.engine.ssh_tunnel import Tunnel
from promoter.model.errors import EngineError

OLDEST, NEWEST = (1, 40), (1, 51)
CONNECT, READ = 5.0, 60.0
_POOL = 64
_UNIX = "http+docker://"


class Client(APIClient):
    """A client of one target, through `tunnel` if it is behind ssh. Call `negotiate` before any other call.

    `podman` is the version of Podman's own API, and empty for every other engine.
    """

    def __init__(self, target: Target, tunnel: Tunnel | None = None) -> None:
        requests.Session.__init__(self)
        self._target, self._tunnel = target, tunnel
        self.timeout = (CONNECT, READ)  # type: ignore[assignment]  # requests takes the pair, the stubs do not know
        self.headers["User-Agent"] = f"promoter/{__version__}"
        self.credstore_env = None
        self._general_configs: dict[str, Any] = {}
        self._proxy_configs = ProxyConfig()
        self._auth_configs = AuthConfig({})
        adapter: HTTPAdapter
        socket = tunnel.socket if tunnel else target.socket
        if socket is not None:
            adapter = _OnePool(f"http+unix://{socket}", timeout=int(READ), max_pool_size=_POOL)
            self.headers["Connection"] = "close"  # an engine that shuts down still answers on open connections
            self.base_url = f"{_UNIX}localhost"
            self.mount(_UNIX, adapter)
        else:
            adapter = HTTPAdapter(pool_maxsize=_POOL)
            self.base_url = f"{'https' if target.tls else 'http'}://{target.host}"
            self.mount(self.base_url, adapter)
            self._trust(target.tls)
        self._custom_adapter = adapter
        self._version = self.offered = self.podman = ""

    def _trust(self, tls: Tls | None) -> None:
        if tls is not None:
            self.verify = (str(tls.ca) if tls.ca else True) if tls.verify else False
            self.cert = (str(tls.cert), str(tls.key)) if tls.cert and tls.key else None

    @property
    def api(self) -> tuple[int, int]:
        major, _, minor = self._version.partition(".")
        return int(major), int(minor)

    @property
    def local_socket(self) -> str | None:
        """Return the socket of an engine that may run on this machine."""
        return self._target.socket if self._target.ssh is None else None

    @property
    def alive(self) -> bool:
        """Return False if the tunnel of this client has ended."""
        return self._tunnel is None or self._tunnel.alive

    def close(self) -> None:
        super().close()
        if self._tunnel is not None:
            self._tunnel.close()

    @contextmanager
    def reconnected(self) -> Iterator["Client"]:
        """Connect to the same engine with a new connection.

        An engine that shuts down accepts no new connections, but still answers on open ones for seconds.
        """
        other = Client(self._target, self._tunnel)
        other._version, other.offered, other.podman = self._version, self.offered, self.podman
        try:
            yield other
        finally:
            APIClient.close(other)  # but not the tunnel, which is shared

    def negotiate(self, address: str) -> None:
        """Negotiate the API version: the engine's newest that this adapter supports."""
        with renamed(f"the engine at {address} does not answer"):
            answer = self._send("GET", "/_ping", timeout=(CONNECT, CONNECT))
        text = answer.headers.get("Api-Version", "")
        try:
            offered = tuple(int(part) for part in text.split("."))
        except ValueError as error:
            raise EngineError(f"the server at {address} is not a Docker engine", hint="check the address and its port") from error
        if offered < OLDEST:
            raise EngineError(
                f"the engine at {address} is too old: it speaks API {text}, and promoter needs 1.40",
                hint="install Docker Engine 20.10 or newer there",
            )
        self.offered = text
        self.podman = answer.headers.get("Libpod-API-Version", "")
        self._version = "{}.{}".format(*min(offered, NEWEST))

    def call(self, method: str, path: str, *names: str, version: str | None = None, **options: Any) -> requests.Response:
        """Send one request; `names` fill the placeholders of the path. Raise the errors of the SDK and of requests.

        `version` replaces the negotiated one: Podman's own API has versions of its own. Other options: `params`, `headers`,
        `json`, `data`, `timeout` (connect and read, in seconds) and `stream` (the caller reads the answer and closes it).
        """
        named = path.format(*(quote(name, safe="/:") for name in names))
        return self._send(method, f"/v{version or self._version}{named}", **options)

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: Any = None,
        timeout: Any = (CONNECT, READ),
        stream: bool = False,
    ) -> requests.Response:
        request = requests.PreparedRequest()
        request.method, request.hooks = method, default_hooks()
        request.url = f"{self.base_url}{path}" + (f"?{urlencode(params, doseq=True)}" if params else "")
        own: Any = self.headers
        request.headers = CaseInsensitiveDict({**own, **(headers or {})})
        request.prepare_body(data, None, json)
        verify = True if self.verify is None else self.verify
        answer = self._custom_adapter.send(request, stream=stream, timeout=timeout, verify=verify, cert=self.cert)
        if answer.is_redirect:
            raise requests.TooManyRedirects(f"the engine redirects to {answer.headers['location']}")
        if not stream:
            _ = answer.content  # reads the answer to its end
        _raise(answer)
        return answer


class _OnePool(UnixHTTPAdapter):
    """The SDK's adapter with one pool. The SDK's own makes one for each URL, so for almost each request, which is slow."""

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:
        del url, proxies
        with self.pools.lock:
            if _UNIX not in self.pools:
                self.pools[_UNIX] = _Pool(_UNIX, self.socket_path, self.timeout, maxsize=self.max_pool_size)
            return self.pools[_UNIX]


class _Pool(UnixHTTPConnectionPool):
    """A pool that closes each connection after its answer, also if the server does not say that it closes it."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.close()
        super()._put_conn(conn)


def _raise(answer: requests.Response) -> None:
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        create_api_error_from_http_exception(error)
