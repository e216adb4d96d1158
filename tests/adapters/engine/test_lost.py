"""Engines that end, and ports that they do not release: a server that answers just enough."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from promoter.adapters.engine import containers
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.model.errors import EngineError, StartError
from tests.serving import serving

INFO = {
    "ID": "id",
    "DockerRootDir": "/root",
    "Name": "host",
    "ServerVersion": "28.0",
    "SystemTime": "2026-01-01T00:00:00Z",
    "Id": "sha256:1",
}
TAKEN = {"message": "driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated"}
Answer = tuple[int, object]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        server: Any = self.server
        path = "/" + self.path.partition("?")[0].split("/", 2)[-1]
        server.seen.append(path)
        server.connections.add(self.connection)
        self.close_connection = not server.keeps_open
        status, document = (200, INFO) if path == "/_ping" else server.answer(path)
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def address_string(self) -> str:
        return "a unix socket"

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.seen: list[str] = []
        self.connections: set[object] = set()
        self.keeps_open = False
        self.answer: Callable[[str], Answer] = lambda _: (200, INFO)

    def handle_error(self, *_: object) -> None: ...


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "docker.sock"


@pytest.fixture
def server(socket: Path) -> Iterator[Server]:
    with serving(Server(socket)) as made:
        yield made


@pytest.fixture
def engine(socket: Path) -> Iterator[DockerEngine]:
    with closing(open_engine(f"unix://{socket}", environ={}, sleep=lambda _: None)) as made:
        yield made


# ---------------------------------------------------------------- engines that end
@pytest.mark.usefixtures("server")
def test_one_that_refuses_new_connections_counts_as_lost(engine: DockerEngine, socket: Path) -> None:
    engine.identify()
    engine.image_id("busybox")
    socket.unlink()  # an engine does this first when it is asked to end; it answers on open connections until its end
    with pytest.raises(EngineError, match="could not be inspected: No such file or directory") as error:
        engine.image_id("busybox")
    assert error.value.lost
    with pytest.raises(EngineError, match="could not be identified: No such file or directory") as error:
        engine.identify()
    assert error.value.lost


def test_each_request_has_a_connection_of_its_own(server: Server, engine: DockerEngine) -> None:
    server.keeps_open = True  # it ignores `Connection: close`
    engine.identify()
    engine.image_id("busybox")
    assert len(server.connections) == len(server.seen) >= 3


def test_one_that_was_never_there_was_not_lost(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match="does not answer: No such file or directory") as error:
        engine.identify()
    assert not error.value.lost


def test_an_answer_that_breaks_off_is_a_lost_engine(server: Server, engine: DockerEngine) -> None:
    def broken(_: str) -> Answer:
        raise ConnectionAbortedError

    server.answer = broken
    with pytest.raises(EngineError, match="Remote end closed connection without response") as error:
        engine.identify()
    assert (error.value.lost, error.value.retryable) == (True, True)


@pytest.mark.parametrize(
    ("fields", "keeps"), [({}, False), ({"LiveRestoreEnabled": False}, False), ({"LiveRestoreEnabled": True}, True)]
)
def test_identify_reports_whether_a_restart_keeps_containers(
    server: Server, engine: DockerEngine, fields: dict[str, bool], keeps: bool
) -> None:
    server.answer = lambda _: (200, INFO | fields)
    identity = engine.identify()
    assert (identity.at, identity.keeps_containers) == ("2026-01-01T00:00:00Z", keeps)


# ---------------------------------------------------------------- a port that is not released
def starting(server: Server, refusals: int, running: list[object], answered: object = TAKEN) -> None:
    """Refuse the first starts, because the port is taken. `running` are the containers that the engine shows."""
    left = [None] * refusals

    def answer(path: str) -> Answer:
        if path == "/containers/json":
            return 200, running
        if not left:
            return 204, None
        left.pop()
        return 500, answered

    server.answer = answer


@pytest.mark.usefixtures("socket")
def test_a_port_that_is_held_for_no_running_container_is_waited_for(server: Server, engine: DockerEngine) -> None:
    starting(server, 2, [])
    engine.start("web")
    assert server.seen.count("/containers/web/start") == 3


@pytest.mark.usefixtures("socket")
@pytest.mark.parametrize(
    "message", ["failed to start shim: mkdir /run/moby/4dc918: file exists: unknown", "task 4dc918: already exists"]
)
def test_what_a_killed_engine_left_of_a_start_is_waited_for(server: Server, engine: DockerEngine, message: str) -> None:
    starting(server, 2, [], {"message": message})
    engine.start("web")
    assert server.seen.count("/containers/web/start") == 3


def test_a_process_that_a_killed_engine_does_not_know_is_reported_with_what_ends_it(server: Server, engine: DockerEngine) -> None:
    starting(server, 9, [], {"message": "id already in use"})
    with pytest.raises(StartError, match="id already in use") as error:
        engine.start("4dc918")
    assert "`pkill -KILL -f '[c]ontainerd-shim.* -id 4dc918'`" in (error.value.hint or "")
    assert server.seen.count("/containers/4dc918/start") == 1


def test_a_port_that_another_container_publishes_is_not_waited_for(server: Server, engine: DockerEngine) -> None:
    starting(server, 9, [{"Names": ["/other"], "Ports": [{"PublicPort": 8080}]}])
    with pytest.raises(StartError, match="port is already allocated") as error:
        engine.start("web")
    assert error.value.hint == "container other uses that port: stop it, or publish another port"
    assert server.seen.count("/containers/web/start") == 1


def test_a_port_that_is_never_released_is_an_error(server: Server, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "LETTING_GO", 0.4)
    starting(server, 99, [{"Names": ["/other"], "Ports": [{"PublicPort": 8081}, {"PrivatePort": 8080}]}])
    with pytest.raises(StartError, match="port is already allocated") as error:
        engine.start("web")
    assert "restart Docker" in (error.value.hint or "")
