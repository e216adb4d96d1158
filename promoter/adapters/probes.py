"""Probe a running environment from outside: one HTTP request, or one command in the pipeline's directory.

No evaluation and no retries here. A redirect is an answer like any other; proxies are not used.
"""

import base64
import http.client
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from promoter.adapters.subprocess import NOT_RUNNABLE, run
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import Interrupted
from promoter.promotion.ports.probes import CommandResult, HttpAnswer, HttpRequest, ToolResult

LARGEST_BODY = 1 << 20
TAIL = 1 << 16
LARGEST_REPORT = 64 << 20
_NEAR = 1.0
"""Seconds that a port of this machine may take to accept a connection."""
_POLL_INTERVAL = 0.1


class OutsideProbes:
    """`Probes` from where promoter runs. An interruption of `clock` cuts short what is under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def http(self, request: HttpRequest) -> HttpAnswer:
        self._clock.check()
        started = time.monotonic()
        partial = _Partial()
        try:
            self._ask(request, _split(request.url), started + request.timeout, partial)
        except _NoAddress as error:
            partial.error = str(error)
        self._clock.check()
        return HttpAnswer(partial.status, partial.text(), time.monotonic() - started, partial.error)

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        ended = run(argv, directory, environment, timeout, keep=TAIL, check=self._clock.check)
        return CommandResult(ended.exit_code, ended.output.decode(errors="replace"), ended.seconds)

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        try:
            with tempfile.TemporaryDirectory(prefix="promoter-", ignore_cleanup_errors=True) as directory:  # for the owner alone
                for name, text in files.items():
                    (Path(directory) / name).write_text(text)
                keep = LARGEST_REPORT + 1
                ended = run(argv, Path(directory), environment, timeout, separate=True, keep=keep, check=self._clock.check)
        except OSError as error:
            return ToolResult(
                NOT_RUNNABLE, b"", f"no private directory can be made for {argv[0]}: {error.strerror or error}", 0.0
            )
        output = None if len(ended.output) > LARGEST_REPORT else ended.output
        return ToolResult(ended.exit_code, output, ended.errors[-TAIL:].decode(errors="replace"), ended.seconds)

    def _ask(self, request: HttpRequest, url: SplitResult, deadline: float, partial: "_Partial") -> None:
        connection = _connection(url, request.timeout)
        try:
            connection.connect()
            with self._ended_in_time(connection.sock, deadline):
                connection.request(request.method, _target(url), headers={**_headers(url), **request.headers})
                partial.listen(connection.getresponse())
            if partial.cut_short or (partial.endless and time.monotonic() >= deadline):
                partial.break_off()
        except (OSError, http.client.HTTPException, ValueError) as fault:
            if partial.status is not None:
                partial.break_off()
            else:
                late = time.monotonic() >= deadline
                partial.error = f"no answer within {request.timeout:g} s" if late else _describe_fault(fault, url)
        finally:
            connection.close()

    @contextmanager
    def _ended_in_time(self, sock: socket.socket, deadline: float) -> Iterator[None]:
        """Limit the total time: a socket's timeout restarts with every byte. Also end at an interruption."""
        sock.settimeout(max(_POLL_INTERVAL, deadline - time.monotonic()))
        done = threading.Event()

        def watch() -> None:
            while not done.wait(min(_POLL_INTERVAL, max(0.0, deadline - time.monotonic()))):
                if time.monotonic() >= deadline or self._interrupted():
                    with suppress(OSError):
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which another thread is reading
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _interrupted(self) -> bool:
        try:
            self._clock.check()
        except Interrupted:
            return True
        return False


@dataclass
class _Partial:
    """The part of an answer that has arrived so far."""

    status: int | None = None
    error: str = ""
    body: bytearray = field(default_factory=bytearray)
    charset: str | None = None
    cut_short: bool = False
    endless: bool = False
    """The body ends only with the connection."""

    def listen(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.charset = answer.status, answer.headers.get_content_charset()
        self.endless = answer.length is None and not answer.chunked
        while len(self.body) < LARGEST_BODY and (piece := answer.read1(LARGEST_BODY - len(self.body))):
            self.body += piece
        self.cut_short = bool(answer.length) and len(self.body) < LARGEST_BODY

    def break_off(self) -> None:
        """Report an incomplete answer: a server that stops in the middle is not ready."""
        self.error = f"status {self.status}, but the answer was cut off after {len(self.body)} bytes of its body"
        self.status = None

    def text(self) -> str:
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")


class _NoAddress(Exception):
    """Never leaves this file; the message says why nothing can be asked there."""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise _NoAddress(f"{url!r} is not an address: {error}") from error
    if not usable:
        raise _NoAddress(f"{url!r} is not an address that can be asked: write http://HOST:PORT/PATH or https://…")
    return parts


def _connection(url: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        timeout = min(timeout, _NEAR)
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, url.port or 443, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, url.port or 80, timeout=timeout)


def _target(url: SplitResult) -> str:
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return path + ("?" + quote(url.query, safe="/%:@!$&'()*+,;=?~-._") if url.query else "")


def _headers(url: SplitResult) -> dict[str, str]:
    headers = {"User-Agent": "promoter", "Accept": "*/*", "Connection": "close"}
    if url.username is not None:
        login = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    return headers


def _describe_fault(fault: Exception, url: SplitResult) -> str:
    where = f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}"
    match fault:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} is not trusted: {fault.verify_message}"
        case ssl.SSLError():
            return f"TLS with {where} failed: {fault.reason or fault}"
        case ConnectionRefusedError():
            return f"nothing listens at {where}"
        case socket.gaierror():
            return f"the name {url.hostname} is not known"
        case TimeoutError():
            return f"{where} did not take the connection in time"
        case ConnectionError():  # RemoteDisconnected is one, too
            return f"{where} closed the connection without an answer"
        case http.client.HTTPException():
            return f"{where} did not answer as HTTP does ({type(fault).__name__})"
        case OSError():
            return f"{where} cannot be reached: {fault.strerror or fault}"
    return f"the request cannot be sent to {where}: {fault}"
