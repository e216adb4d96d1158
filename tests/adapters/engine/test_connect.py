"""The ways to connect to an engine, with a server that answers just enough to be accepted as one."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from promoter.adapters.engine.connect import open_engine
from promoter.model.errors import EngineError
from tests.serving import serving

INFO = {"ID": "id", "DockerRootDir": "/root", "Name": "host", "ServerVersion": "28.0"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        body = json.dumps(self.server.info).encode()
        self.send_response(200)
        if self.server.api:
            self.send_header("Api-Version", self.server.api)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.info, self.api, self.seen = dict(INFO), "1.44", []

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, *_: object) -> None: ...


@pytest.fixture
def server():
    with serving(Server()) as made:
        yield made


def at(server: Server, **environ: str):
    return closing(open_engine(f"tcp://127.0.0.1:{server.port}", environ=environ, sleep=lambda _: None))


@pytest.mark.parametrize(("offered", "spoken"), [("1.41", "v1.41"), ("1.99", "v1.51")])
def test_the_version_is_settled_once_and_never_beyond_what_is_known(server, offered, spoken):
    server.api = offered
    with at(server) as engine:
        engine.identify()
        engine.identify()
    assert server.seen == ["/_ping", f"/{spoken}/info", f"/{spoken}/info"]


@pytest.mark.parametrize("api", ["", "web"])
def test_a_server_that_is_not_docker_raises_an_error(server, api):
    server.api = api
    with at(server) as engine, pytest.raises(EngineError, match="not a Docker engine"):
        engine.identify()


def test_an_engine_that_is_too_old_raises_an_error(server):
    server.api = "1.39"
    with at(server) as engine, pytest.raises(EngineError, match="too old"):
        engine.identify()


@pytest.mark.parametrize("key", ["ID", "DockerRootDir", "Name"])
def test_engines_differ_by_any_of_their_marks(server, key):
    with at(server) as engine:
        one = engine.identify().fingerprint
        server.info[key] = "another"
        assert engine.identify().fingerprint != one
        server.info = INFO | {"ServerVersion": "29.0"}
        assert engine.identify().fingerprint == one


def test_a_broken_config_of_the_docker_cli_does_not_matter_to_a_named_engine(server, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"auths": {"x": {"auth": "no colon"}}, "HttpHeaders": 3, "credsStore": "none"')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with at(server) as engine:
        assert engine.identify().name == "host"


def test_proxies_of_the_environment_are_not_for_engines(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with at(server) as engine:
        assert engine.identify().name == "host"


def test_a_refused_connection_is_retried():
    waits = []
    engine = open_engine("tcp://127.0.0.1:1", environ={}, sleep=waits.append)
    with pytest.raises(EngineError, match="does not answer: Connection refused"):
        engine.identify()
    assert len(waits) == 3


# ------------------------------------------------------------------ TLS
@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make certificates with")
    folder = tmp_path_factory.mktemp("tls")
    new = (
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
        "/CN=127.0.0.1",
    )
    for name in ("server", "cert"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-addext", "subjectAltName=IP:127.0.0.1")
        subprocess.run([*new, *files], cwd=folder, check=True, capture_output=True)
    shutil.copy(folder / "server.pem", folder / "ca.pem")
    shutil.copy(folder / "cert.key", folder / "key.pem")
    return folder


@pytest.fixture
def secure(server, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def test_tls_trusts_the_engines_own_ca_and_no_other(secure, certificates, monkeypatch, tmp_path):
    (tmp_path / "other.pem").write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "other.pem"))
    with at(secure, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates)) as engine:
        assert engine.identify().name == "host"


def test_tls_without_the_ca_is_refused(secure, certificates, tmp_path):
    shutil.copy(certificates / "cert.pem", tmp_path / "ca.pem")
    with at(secure, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path)) as engine, pytest.raises(EngineError) as caught:
        engine.identify()
    assert "certificate" in str(caught.value.hint)


# ------------------------------------------------------------------ ssh
SSH = """
import os, socket, sys, threading
words = sys.argv[1:]
if words[-1] == "unknown": sys.exit("Host key verification failed.")
if words[-1] == "record": open(os.environ["SSH_RECORD"], "w").write(chr(10).join(words))
near, far = words[words.index("-L") + 1].split(":")
def copy(a, b):
    while data := a.recv(65536): b.sendall(data)
    b.shutdown(socket.SHUT_WR)
listener = socket.socket(socket.AF_UNIX); listener.bind(near); listener.listen()
open(os.environ["SSH_PID"], "w").write(str(os.getpid()))
while True:
    one = listener.accept()[0]
    try: two = socket.create_connection(("127.0.0.1", int(far.rpartition("/")[2])))
    except OSError: print("channel 2: open failed: connect failed", file=sys.stderr, flush=True); one.close(); continue
    for pair in ((one, two), (two, one)): threading.Thread(target=copy, args=pair, daemon=True).start()
"""


@pytest.fixture
def ssh(tmp_path, monkeypatch) -> Path:
    """A replacement for ssh: a socket on the remote side is a port here. Return the file with its process id."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "ssh.py").write_text(SSH)
    program = tmp_path / "bin" / "ssh"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {tmp_path}/ssh.py "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_PID", str(tmp_path / "pid"))
    monkeypatch.setenv("SSH_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_an_engine_behind_ssh_is_reached_through_one_tunnel(server, ssh):
    with closing(open_engine(f"ssh://ana@record:2022/{server.port}", environ={})) as engine:
        assert engine.identify().name == "host"
        assert engine.identify().name == "host"
        pid = int((ssh / "pid").read_text())
    assert gone(pid) and not list(ssh.glob("promoter-ssh-*"))
    words = (ssh / "record").read_text().splitlines()
    assert words[-1] == "record" and words[-2] == "--"
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes", "2022", "ana"} <= set(words)


def test_a_tunnel_that_broke_is_made_again(server, ssh):
    with closing(open_engine(f"ssh://h/{server.port}", environ={})) as engine:
        engine.identify()
        keeper = engine.client()._tunnel._keeper  # a later request would make another one
        pid = int((ssh / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        keeper.wait(10)
        assert engine.identify().name == "host"
        assert int((ssh / "pid").read_text()) != pid
        assert keeper.stdin.closed  # which ends the whole process group of the old one


def test_the_error_of_ssh_is_shown(ssh):
    with pytest.raises(EngineError, match=r"Host key verification failed\.") as caught:
        open_engine("ssh://unknown/1", environ={}).identify()
    assert "known host" in str(caught.value.hint) and not list(ssh.glob("promoter-ssh-*"))


def test_no_engine_behind_ssh_raises_and_ends_the_tunnel(ssh):
    with pytest.raises(EngineError, match="no engine answers there at /1"):
        open_engine("ssh://h/1", environ={}).identify()
    assert gone(int((ssh / "pid").read_text()))


def test_a_process_that_is_killed_leaves_no_tunnel(server, ssh):
    script = (
        "import os, signal; from promoter.adapters.engine.connect import open_engine\n"
        f"open_engine('ssh://h/{server.port}', environ={{}}).identify(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    )
    assert ended.returncode == -signal.SIGKILL
    subprocess.run(["tail", f"--pid={(ssh / 'pid').read_text()}", "-f", "/dev/null"], check=True, timeout=20)
    assert gone(int((ssh / "pid").read_text()))
