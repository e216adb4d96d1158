"""The processes that listen on the host of an engine: this is known only of this machine, and never guessed."""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from promoter.adapters import listening_sockets
from promoter.adapters.engine import host_ports
from promoter.adapters.engine.address import resolve
from promoter.adapters.engine.client import Client
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.listening_sockets import SocketOwner
from promoter.promotion.ports.container import ListeningPort
from tests.serving import serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this /proc")
CONTAINER = "a" * 64
LABELS = {"dev.promoter.pipeline": "shop"}
ME = f"{listening_sockets.program_of(os.getpid())} (process {os.getpid()})"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        path = "/" + self.path.partition("?")[0].split("/", 2)[-1]
        body = json.dumps(server.documents.get(path, {"message": "no such container"})).encode()
        self.send_response(200 if path in server.documents else 404)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a unix socket"

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingMixIn, UnixStreamServer):
    """An engine in this process, on this machine."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.documents: dict[str, object] = {"/_ping": {}, "/info": {"Name": socket.gethostname()}, "/containers/json": []}


class Remote(ThreadingHTTPServer):
    documents: dict[str, object]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(Server(tmp_path / "docker.sock")) as made:
        yield made


@pytest.fixture
def engine(server: Server, tmp_path: Path) -> Iterator[DockerEngine]:
    with closing(open_engine(f"unix://{tmp_path}/docker.sock", environ={}, sleep=lambda _: None)) as made:
        yield made


@pytest.fixture
def port(free_port: Callable[[], int]) -> Iterator[int]:
    """A port on which this process listens."""
    number = free_port()
    with socket.create_server(("127.0.0.1", number)):
        yield number


def owned_by(monkeypatch: pytest.MonkeyPatch, program: str, container: str | None = None) -> None:
    owner = SocketOwner(12, program, container)
    monkeypatch.setattr(host_ports, "owners", lambda inodes: dict.fromkeys(inodes, owner))


def test_a_process_is_named(engine: DockerEngine, port: int) -> None:
    assert engine.listening_ports({port}) == (ListeningPort(ME, {}, "127.0.0.1", port),)


def test_a_process_that_is_not_visible_is_outside_docker(
    engine: DockerEngine, port: int, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_ports, "owners", lambda _: {})
    assert engine.listening_ports({port}) == (ListeningPort("a process outside Docker", {}, "127.0.0.1", port),)
    server.documents["/containers/json"] = [{"HostConfig": {"NetworkMode": "host"}}]
    assert engine.listening_ports({port}) == (), "it may be in that container"


def test_a_process_without_a_name_has_its_number(engine: DockerEngine, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    owned_by(monkeypatch, "")
    assert engine.listening_ports({port})[0].holder == "a program (process 12)"


def test_what_listens_for_containers_is_left_out(engine: DockerEngine, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that was restarted may keep it for seconds: `start` waits for that."""
    owned_by(monkeypatch, "docker-proxy")
    assert engine.listening_ports({port}) == ()


def test_a_container_on_the_network_of_the_host_is_named_with_its_labels(
    engine: DockerEngine, port: int, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned_by(monkeypatch, "nginx", CONTAINER)
    assert engine.listening_ports({port})[0].holder == "nginx (process 12)", "of no container of this engine"
    server.documents[f"/containers/{CONTAINER}/json"] = {"Name": "/shop-dev-web", "Config": {"Labels": LABELS}}
    assert engine.listening_ports({port}) == (ListeningPort("container shop-dev-web", LABELS, "127.0.0.1", port),)


def test_an_engine_of_another_machine_is_not_guessed(
    engine: DockerEngine, port: int, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(host_ports, "program_of", lambda _: "ssh")
        assert engine.listening_ports({port}) == (), "ssh forwards the socket"
    with monkeypatch.context() as patched:
        patched.setattr(host_ports, "serving", lambda _: None)
        assert engine.listening_ports({port}) == (), "the engine is not a process of this machine"
    server.documents["/info"] = {"Name": "elsewhere"}
    assert engine.listening_ports({port}) == (), "its host has another name"


def test_a_socket_behind_ssh_is_not_one_of_this_machine() -> None:
    assert Client(resolve("ssh://deploy@prod-1", {})).local_socket is None
    assert Client(resolve("unix:///run/docker.sock", {})).local_socket == "/run/docker.sock"


def test_an_engine_at_a_tcp_address_is_not_guessed(port: int, server: Server, free_port: Callable[[], int]) -> None:
    remote = Remote(("127.0.0.1", free_port()), Handler)
    remote.documents = server.documents
    with serving(remote), closing(open_engine(f"tcp://127.0.0.1:{remote.server_port}", environ={})) as there:
        assert there.listening_ports({port}) == ()
