"""Check over HTTP whether an engine or a registry answers: an installed client proves nothing."""

import http.client
import json
import socket
from typing import Any


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connection(url: str, timeout: float = 5.0) -> http.client.HTTPConnection:
    """Return a connection to `unix:///path`, `tcp://host:port` or `host:port`."""
    scheme, _, rest = url.rpartition("://")
    if scheme == "unix":
        return _UnixConnection(rest, timeout)
    if scheme not in {"tcp", "http", ""}:
        raise OSError(f"the lab cannot talk {scheme}://")
    return http.client.HTTPConnection(rest.rstrip("/"), timeout=timeout)


def get(url: str, path: str, timeout: float = 5.0) -> tuple[int, bytes]:
    talk = connection(url, timeout)
    try:
        talk.request("GET", path)
        answer = talk.getresponse()
        return answer.status, answer.read()
    finally:
        talk.close()


def post(url: str, path: str, body: dict[str, object], timeout: float = 60.0) -> tuple[int, bytes]:
    """Send JSON."""
    talk = connection(url, timeout)
    try:
        talk.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = talk.getresponse()
        return answer.status, answer.read()
    finally:
        talk.close()


def why_silent(url: str, path: str) -> str | None:
    """Return None if a GET is answered with 200; otherwise the reason, in a few words."""
    try:
        status, _ = get(url, path)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return None if status == 200 else f"it answered with status {status}"


def engine_silent(url: str) -> str | None:
    return why_silent(url, "/_ping")


def registry_silent(host: str) -> str | None:
    return why_silent(host, "/v2/")


def engine_version(url: str) -> dict[str, Any]:
    _, body = get(url, "/version")
    answer: dict[str, Any] = json.loads(body)
    return answer
