"""A proxy in front of a real registry that misbehaves as configured: at the nth request of a kind, as often as configured."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOREVER = 10**6
Act = Callable[["_Handler"], None]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Rule:
    """Requests whose method and path match `what` are answered by `act`, `times` times."""

    what: str
    act: Act
    times: int = FOREVER
    hits: int = 0
    hit: threading.Event = field(default_factory=threading.Event)

    def wants(self, request: str) -> bool:
        if self.hits >= self.times or not re.search(self.what, request):
            return False
        self.hits += 1
        self.hit.set()
        return True


@dataclass
class Proxy:
    """`host` is the start of an image's name. `seen` is every request, as `GET /v2/…`."""

    host: str
    behind: str
    rules: list[Rule] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def misbehave(self, what: str, act: Act, times: int = FOREVER) -> Rule:
        self.rules.append(Rule(what, act, times))
        return self.rules[-1]

    def behave(self) -> None:
        self.rules.clear()

    def rule_for(self, request: str) -> Rule | None:
        with self._lock:
            self.seen.append(request)
            return next((rule for rule in self.rules if rule.wants(request)), None)


# ---------------------------------------------------------------- the ways to misbehave
def respond(status: int, body: bytes = b"", **headers: str) -> Act:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(Answer(status, named, body))


def cut(after: int) -> Act:
    """Announce the whole length, and close the connection before it is sent."""

    def act(handler: "_Handler") -> None:
        handler.reply(handler.forward(), after)

    return act


def other_bytes(handler: "_Handler") -> None:
    """Send as many bytes, but different ones."""
    answer = handler.forward()
    answer.body = bytes(reversed(answer.body))
    handler.reply(answer)


def another_digest(handler: "_Handler") -> None:
    answer = handler.forward()
    answer.headers["Docker-Content-Digest"] = "sha256:" + "1" * 64
    handler.reply(answer)


def round_and_round(handler: "_Handler") -> None:
    handler.reply(Answer(307, {"Location": handler.path}, b""))


def hang(handler: "_Handler") -> None:
    """Accept the request, and never answer."""
    handler.server.proxy.closing.wait()
    handler.close_connection = True


# ---------------------------------------------------------------- the server
class _UnixConnection(HTTPConnection):
    """A connection to the engine's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.host)


def _connection(behind: str) -> HTTPConnection:
    if behind.startswith("unix://"):
        return _UnixConnection(behind.removeprefix("unix://"), timeout=30)
    return HTTPConnection(behind.removeprefix("tcp://"), timeout=30)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        self._body = self._read_body()
        rule = self.server.proxy.rule_for(f"{self.command} {self.path} by {self.headers.get('User-Agent', '')}")
        with suppress(ConnectionError, HTTPException, OSError):
            if rule is None:
                self.reply(self.forward())
            else:
                rule.act(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the name in http.server

    def forward(self) -> Answer:
        connection = _connection(self.server.proxy.behind)
        dropped = {"connection", "transfer-encoding", "content-length"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection.request(self.command, self.path, self._body or None, headers | {"Content-Length": str(len(self._body))})
        response = connection.getresponse()
        body = response.read()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in dropped}
        if self.command == "HEAD" and (length := response.getheader("Content-Length")):
            kept["Content-Length"] = length
        connection.close()
        return Answer(response.status, kept, body)

    def reply(self, answer: Answer, after: int | None = None) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:after])
        if after is not None:
            self.wfile.flush()
            self.close_connection = True

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def in_front_of(registry: str) -> Iterator[Proxy]:
    """Start a proxy on a separate loopback port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = Proxy(f"127.0.0.1:{server.server_address[1]}", registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.proxy
    finally:
        server.proxy.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
