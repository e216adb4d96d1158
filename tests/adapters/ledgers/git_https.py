"""An https server for git on this machine. It records the login of each request."""

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def new_certificate(directory: Path) -> Path:
    """Make a certificate for 127.0.0.1, in one file with its key."""
    file = directory / "both.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(file)]
    command = ["openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=127.0.0.1", "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


class Server(ThreadingHTTPServer):
    """Serve the repositories in `root` with `git http-backend`, or redirect to `redirect`. `expected` is the login."""

    daemon_threads = True
    root: Path | None = None
    redirect: str | None = None
    expected: str | None = None

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.logins: list[str | None] = []

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def __getattr__(self, name: str) -> object:
        if name in ("do_GET", "do_POST"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _respond(self) -> None:
        self.server.logins.append(self.headers["Authorization"])
        if self.server.redirect is not None:
            self._answer(302, {"Location": self.server.redirect + self.path})
        elif self.server.expected is not None and self.headers["Authorization"] != self.server.expected:
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif self.server.root is None:
            self._answer(404, {})
        else:
            self._git(self.server.root)

    def _answer(self, code: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _git(self, root: Path) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "ana",
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@contextmanager
def serving(certificate: Path) -> Iterator[Server]:
    with Server(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
