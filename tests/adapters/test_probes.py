import base64
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from promoter.adapters.clock import SystemClock
from promoter.adapters.probes import LARGEST_BODY, TAIL, OutsideProbes
from promoter.model.errors import Interrupted
from promoter.promotion.ports.probes import HttpRequest


# ---------------------------------------------------------------- http
class SiteServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.received: list[tuple[str, str, dict[str, str]]] = []


class Site(BaseHTTPRequestHandler):
    """The path selects what it does."""

    server: SiteServer

    def do_GET(self) -> None:
        self.server.received.append((self.command, self.path, dict(self.headers)))
        match self.path.partition("?")[0]:
            case "/moved":
                self.answer(302, b"", {"Location": "/ready"})
            case "/latin":
                self.answer(200, "pr\u00eat".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"})
            case "/nonsense":
                self.answer(200, b"pr\xeat", {"Content-Type": "text/plain; charset=klingon"})
            case "/huge":
                self.answer(200, b"x" * (LARGEST_BODY + 5), {})
            case "/missing":
                self.answer(404, b"not here", {})
            case _:
                self.answer(200, b"ready", {})

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def probes(clock) -> OutsideProbes:
    return OutsideProbes(clock)


@pytest.fixture
def site() -> Iterator[SiteServer]:
    server = SiteServer()
    with served(server):
        yield server


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def listener(*message: bytes) -> Iterator[str]:
    """A port that accepts one connection, sends this and then nothing until the other side closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                for piece in message:
                    connection.sendall(piece)
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(10)
        assert not thread.is_alive(), "the probe left its connection open"


def at(site: ThreadingHTTPServer, path: str = "/") -> str:
    return f"http://127.0.0.1:{site.server_port}{path}"


def get(url: str, timeout: float = 5.0, method: str = "GET", **headers: str) -> HttpRequest:
    return HttpRequest(url, method, headers, timeout)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, "ready"),
        ("/moved", 302, ""),
        ("/missing", 404, "not here"),
        ("/latin", 200, "pr\u00eat"),
        ("/nonsense", 200, "pr\ufffdt"),
    ],
)
def test_a_response_is_returned_unchanged(probes, site, path, status, body):
    answer = probes.http(get(at(site, path)))
    assert (answer.status, answer.body, answer.error) == (status, body, "")
    assert 0 < answer.seconds < 5
    assert len(site.received) == 1, "no redirect is followed, nothing is tried again"


def test_a_request_goes_out_as_asked(probes, site):
    probes.http(get(at(site, "/a b?c=d e&f=%20"), method="POST", Accept="text/x", Host="shop.example.com"))
    method, path, headers = site.received[0]
    assert (method, path) == ("POST", "/a%20b?c=d%20e&f=%20")
    assert (headers["Accept"], headers["Host"]) == ("text/x", "shop.example.com")
    assert probes.http(get(at(site), method="HEAD")).status == 200


def test_a_login_in_the_address_is_sent(probes, site):
    probes.http(get(at(site).replace("127", "ana:p%40ss@127", 1)))
    assert site.received[0][2]["Authorization"] == "Basic " + base64.b64encode(b"ana:p@ss").decode()


def test_a_proxy_of_the_shell_is_not_asked(probes, site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert probes.http(get(at(site))).status == 200


def test_of_a_huge_body_the_beginning_is_kept(probes, site):
    answer = probes.http(get(at(site, "/huge")))
    assert (answer.status, len(answer.body), answer.error) == (200, LARGEST_BODY, "")


def test_a_truncated_response_is_reported(probes):
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nso far") as url:
        answer = probes.http(get(url, timeout=0.2))
    assert (answer.status, answer.body) == (None, "so far")
    assert answer.error == "status 200, but the answer was cut off after 6 bytes of its body"


def test_an_endless_answer_ends_with_the_time(probes):
    with listener(b"HTTP/1.1 200 OK\r\n\r\nstill here") as url:
        answer = probes.http(get(url, timeout=0.2))
    assert (answer.status, answer.body) == (None, "still here")
    assert "the answer was cut off" in answer.error


def test_a_port_that_never_answers_costs_no_more_than_the_time(probes):
    with listener() as url:
        answer = probes.http(get(url, timeout=0.2))
    assert (answer.status, answer.error) == (None, "no answer within 0.2 s")
    assert 0.2 <= answer.seconds < 5


def test_an_answer_that_drips_costs_no_more_than_the_time(probes):
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not gone.wait(0.02):
                        connection.sendall(b"X: x\r\n")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        answer = probes.http(get(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.3))
        gone.set()
        thread.join()
    assert answer.status is None and "the answer was cut off" in answer.error
    assert 0.3 <= answer.seconds < 5


def test_an_interruption_ends_a_request(probes, clock):
    with listener() as url:
        timer = threading.Timer(0.05, clock.interrupt)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Interrupted):
            probes.http(get(url, timeout=600))
        assert time.monotonic() - started < 10
        timer.join()
    with pytest.raises(Interrupted):
        probes.http(get(url))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_closed_port_is_reported_at_once(probes):
    port = free_port()
    answer = probes.http(get(f"http://127.0.0.1:{port}/"))
    assert (answer.status, answer.error) == (None, f"nothing listens at 127.0.0.1:{port}")
    assert answer.seconds < 1


def test_a_response_that_is_not_http_is_reported(probes):
    with listener(b"220 mail.example.com ESMTP\r\n") as url:
        answer = probes.http(get(url))
    assert answer.status is None and "did not answer as HTTP does" in answer.error


def test_a_connection_that_is_closed_at_once_is_reported(probes):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        answer = probes.http(get(f"http://127.0.0.1:{server.getsockname()[1]}/"))
        thread.join()
    assert answer.status is None and answer.error.endswith("closed the connection without an answer")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://example.com/", "is not an address that can be asked"),
        ("127.0.0.1:80", "is not an address that can be asked"),
        ("http://", "is not an address that can be asked"),
        ("http://127.0.0.1:99999/", "is not an address"),
        ("http://[::1/", "is not an address"),
        ("http://no-such-host.invalid/", "the name no-such-host.invalid is not known"),
    ],
)
def test_an_invalid_address_is_reported(probes, url, message):
    answer = probes.http(get(url))
    assert answer.status is None and message in answer.error


def test_an_invalid_header_is_reported_and_not_sent(probes, site):
    answer = probes.http(get(at(site), Bad="a\r\nb"))
    assert answer.status is None and "cannot be sent" in answer.error
    assert site.received == []


@pytest.fixture
def certificate(tmp_path) -> Path:
    path = tmp_path / "both.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=example.com",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            path,
            "-out",
            tmp_path / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "cert.pem").read_text())
    return path


def test_a_certificate_is_believed_only_when_it_is_trusted(probes, certificate, monkeypatch):
    server = SiteServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_port}/"
    with served(server):
        answer = probes.http(get(url))
        assert answer.status is None and "is not trusted" in answer.error
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert probes.http(get(url)).body == "ready"
        other = probes.http(get(url.replace("127.0.0.1", "localhost")))
        assert other.status is None and "is not trusted" in other.error


def test_tls_to_a_server_without_tls_is_reported(probes, site):
    answer = probes.http(get(at(site).replace("http", "https")))
    assert answer.status is None and "TLS with 127.0.0.1" in answer.error


# ---------------------------------------------------------------- command
def test_a_command_runs_in_the_directory_of_the_file_with_its_environment(probes, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_OURS", "ours")
    monkeypatch.setenv("TEST_BOTH", "ours")
    text = 'basename "$PWD"; echo $TEST_OURS $TEST_BOTH $PROMOTER_RELEASE >&2; cat; exit 3'
    result = probes.command(["sh", "-c", text], tmp_path, {"PROMOTER_RELEASE": "r", "TEST_BOTH": "theirs"}, 10)
    assert (result.exit_code, result.output) == (3, f"{tmp_path.name}\nours theirs r\n")
    assert 0 < result.seconds < 10


def test_a_program_in_the_directory_of_the_file_is_found(probes, tmp_path):
    (tmp_path / "smoke.sh").write_text("#!/bin/sh\necho $#\n")
    (tmp_path / "smoke.sh").chmod(0o755)
    assert probes.command(["./smoke.sh", "a b", "$c"], tmp_path, {}, 10).output == "2\n"


@pytest.mark.parametrize(
    ("program", "code", "message"),
    [
        ("no-such-program", 127, "no-such-program was not found"),
        ("./missing", 127, "./missing was not found"),
        ("./plain", 126, "chmod +x"),
        ("./empty", 126, "#!/bin/sh"),
        ("nul\0byte", 126, "cannot be run"),
    ],
)
def test_what_cannot_run_is_a_result(probes, tmp_path, program, code, message):
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    (tmp_path / "empty").write_bytes(b"\x7f nothing that runs")
    (tmp_path / "empty").chmod(0o755)
    result = probes.command([program], tmp_path, {}, 10)
    assert result.exit_code == code and message in result.output


def test_a_directory_that_is_gone_is_a_result(probes, tmp_path):
    result = probes.command(["true"], tmp_path / "gone", {}, 10)
    assert (result.exit_code, "there is no such directory" in result.output) == (126, True)


def test_a_signal_counts_as_in_a_shell(probes, tmp_path):
    assert probes.command(["sh", "-c", "kill -TERM $$"], tmp_path, {}, 10).exit_code == 128 + signal.SIGTERM


def test_of_much_output_the_end_is_kept(probes, tmp_path):
    result = probes.command(["sh", "-c", "yes | head -c 300000; printf '\\377end'"], tmp_path, {}, 10)
    assert result.exit_code == 0 and result.output.endswith("y\n\ufffdend")
    assert len(result.output) == TAIL


def alive(pid: int) -> bool:
    """Return whether it still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    return not alive(pid)


def test_a_command_ends_with_its_time_and_with_all_it_started(probes, tmp_path):
    result = probes.command(["sh", "-c", "sleep 600 & echo $!; wait"], tmp_path, {}, 0.7)
    assert result.exit_code is None
    assert 0.7 <= result.seconds < 10
    assert gone(int(result.output))


def test_an_interruption_ends_a_command_and_all_it_started(probes, clock, tmp_path):
    pid = tmp_path / "pid"

    def interrupt() -> None:
        deadline = time.monotonic() + 30
        while not pid.exists() and time.monotonic() < deadline:
            os.sched_yield()
        clock.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Interrupted):
        probes.command(["sh", "-c", "sleep 600 & echo $! > pid.new; mv pid.new pid; wait"], tmp_path, {}, 600)
    thread.join()
    assert gone(int(pid.read_text()))


def test_what_a_command_leaves_behind_does_not_hold_it_up(probes, tmp_path, monkeypatch):
    monkeypatch.setattr("promoter.adapters.subprocess._LINGER", 0.05)
    result = probes.command(["sh", "-c", "sleep 600 & echo $!"], tmp_path, {}, 60)
    assert result.exit_code == 0 and result.seconds < 30
    assert gone(int(result.output))


# ---------------------------------------------------------------- tools
def test_a_tool_runs_in_a_private_directory_that_goes_with_it(probes):
    words = ["sh", "-c", "pwd; ls -A; cat note; stat -c %a .; echo aside >&2; exit 3"]
    result = probes.tool(words, {"note": "written\n"}, {"A": "b"}, 10)
    directory, *rest = result.output.decode().splitlines()
    assert rest == ["note", "written", "700"]
    assert (result.exit_code, result.errors) == (3, "aside\n")
    assert not Path(directory).exists()


def test_two_tools_do_not_see_each_other_and_each_has_its_environment(probes):
    first = probes.tool(["sh", "-c", "echo $A; pwd; touch left"], {}, {"A": "one"}, 10)
    second = probes.tool(["sh", "-c", "echo $A; ls -A"], {}, {}, 10)
    assert first.output.startswith(b"one\n")
    assert second.output == b"\n"


def test_all_that_a_tool_prints_is_kept_or_nothing(probes, monkeypatch):
    monkeypatch.setattr("promoter.adapters.probes.LARGEST_REPORT", 300_000)
    printed = "head -c {} /dev/zero"
    assert probes.tool(["sh", "-c", printed.format(300_000)], {}, {}, 10).output == b"\0" * 300_000
    assert probes.tool(["sh", "-c", printed.format(300_001)], {}, {}, 10).output is None


def test_a_tool_that_is_missing_or_too_slow_is_a_result(probes):
    assert probes.tool(["no-such-tool"], {}, {}, 10).exit_code == 127
    slow = probes.tool(["sh", "-c", "echo begun; sleep 600"], {}, {}, 0.5)
    assert (slow.exit_code, slow.seconds < 10) == (None, True)


def test_without_a_private_directory_no_tool_runs(probes, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    result = probes.tool(["sh", "-c", "touch ran"], {}, {}, 10)
    assert (result.exit_code, result.output) == (126, b"")
    assert "no private directory" in result.errors
