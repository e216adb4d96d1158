"""Podman's Docker-compatible API where it differs, with a server that answers as Podman 4.3 does."""

import json
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest

from promoter.adapters.diagnostics import engines
from promoter.adapters.engine import podman
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.errors import passing, remedy
from promoter.adapters.engine.info import about
from promoter.model.errors import EngineError
from tests.serving import serving

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
IDS = count()
CHECK = {"Test": ["CMD", "true"], "Interval": 10_000_000_000, "Timeout": 5_000_000_000}
CONTAINER = {
    "Id": "c1",
    "Name": "/web",
    "Config": {"Labels": {}, "Healthcheck": CHECK},
    "State": {"Status": "running", "StartedAt": "2026-11-29T11:00:00.123456789Z", "Health": {"Status": "starting", "Log": None}},
    "HostConfig": {"RestartPolicy": {"Name": "always"}},
}
RUNC = "runc: runc create failed: unable to start container process: "
LIMITS = "error during container init: error setting rlimit type 7: operation not permitted: OCI permission denied"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        server.seen.append(path)
        status, document = server.documents.get(path.split("/", 2)[-1], (404, {"message": "Not Found"}))
        document = document() if callable(document) else document
        body = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header("Date", "Sun, 29 Nov 2026 12:00:00 GMT")
        self.send_header("Api-Version", "1.41")
        if server.podman:
            self.send_header("Libpod-Api-Version", "4.3.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.podman = True
        self.seen: list[str] = []
        self.container: dict[str, Any] = deepcopy(CONTAINER)
        self.info = {"DockerRootDir": "/var/lib/containers/storage", "Name": "host", "ServerVersion": "4.3.1"}
        self.documents: dict[str, tuple[int, Any]] = {
            "_ping": (200, "OK"),
            "info": (200, lambda: {"ID": f"id-{next(IDS)}", **self.info}),
            "containers/c1/json": (200, lambda: self.container),
            "libpod/containers/c1/healthcheck": (200, self.check),
            "containers/c1/stop": (200, {}),
        }

    def check(self) -> dict[str, str]:
        self.container["State"]["Health"] = {"Status": "healthy", "Log": [{"End": "2026-11-29T12:00:00Z", "ExitCode": 0}]}
        return {"Status": "healthy"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as made:
        yield made


@pytest.fixture
def engine(server: Server) -> Iterator[DockerEngine]:
    with closing(open_engine(f"tcp://127.0.0.1:{server.server_port}", environ={}, sleep=lambda _: None)) as made:
        yield made


# ------------------------------------------------------------------ identity
def test_its_identity_is_stable_though_its_id_is_new_at_each_call(engine: DockerEngine) -> None:
    assert engine.identify() == engine.identify()


@pytest.mark.parametrize("key", ["DockerRootDir", "Name"])
def test_two_of_them_differ_by_storage_and_host(engine: DockerEngine, server: Server, key: str) -> None:
    one = engine.identify().fingerprint
    server.info[key] = "another"
    assert engine.identify().fingerprint != one


def test_the_id_of_any_other_engine_counts(engine: DockerEngine, server: Server) -> None:
    server.podman = False
    assert engine.identify() != engine.identify()


@pytest.mark.parametrize(("is_podman", "name"), [(True, "Podman Engine 4.3.1 on host"), (False, "Docker Engine 4.3.1 on host")])
def test_doctor_names_the_product(engine: DockerEngine, server: Server, is_podman: bool, name: str) -> None:
    server.podman = is_podman
    assert engines.assess("engine", "tcp://x", about(engine)).detail.startswith(name)


# ------------------------------------------------------------------ healthchecks
RUN = "/v4.0.0/libpod/containers/c1/healthcheck"


def test_an_overdue_healthcheck_is_run_through_its_api(engine: DockerEngine, server: Server) -> None:
    seen = engine.inspect("c1")
    assert seen is not None and seen.health == "healthy"
    assert server.seen.count(RUN) == 1
    assert engine.inspect("c1") == seen
    assert server.seen.count(RUN) == 1


def test_a_healthcheck_that_cannot_be_run_changes_nothing(engine: DockerEngine, server: Server) -> None:
    server.documents["libpod/containers/c1/healthcheck"] = (409, {"message": "container c1 is not running"})
    seen = engine.inspect("c1")
    assert seen is not None and seen.health == "starting"


def test_other_engines_run_their_healthchecks_themselves(engine: DockerEngine, server: Server) -> None:
    server.podman = False
    seen = engine.inspect("c1")
    assert seen is not None and seen.health == "starting"
    assert RUN not in server.seen


def at(seconds: int, **changes: Any) -> bool:
    """Return whether it is overdue `seconds` before the end of its last run."""
    document = deepcopy(CONTAINER)
    document["State"]["Health"] = {"Log": [{"End": (NOW - timedelta(seconds=seconds)).isoformat()}]}
    document["State"] |= changes.pop("State", {})
    document["Config"]["Healthcheck"] = changes.pop("Healthcheck", CHECK)
    return podman.is_overdue(document, NOW)


@pytest.mark.parametrize(
    ("overdue", "expected"),
    [
        (at(16), False),
        (at(18), True),
        (at(18, State={"Status": "exited"}), False),
        (at(18, Healthcheck=None), False),
        (at(18, Healthcheck={"Test": ["NONE"]}), False),
        (at(61, Healthcheck={"Test": ["CMD", "true"]}), False),
        (at(63, Healthcheck={"Test": ["CMD", "true"]}), True),
        (at(5, Healthcheck=CHECK | {"Interval": 1_000_000_000}), True),
        (at(3, Healthcheck=CHECK | {"Interval": 1_000_000_000}), False),
        (at(18, State={"Health": {}, "StartedAt": "2026-11-29T11:59:50Z"}), False),
        (at(18, State={"Health": {}, "StartedAt": "2026-11-29T11:59:40Z"}), True),
        (at(18, State={"Health": {}, "StartedAt": "soon"}), False),
    ],
)
def test_a_healthcheck_is_overdue_after_its_interval_and_the_time_of_one_check(overdue: bool, expected: bool) -> None:
    assert overdue is expected


def test_the_time_is_the_engines() -> None:
    assert podman.clock("Sun, 29 Nov 2026 12:00:00 GMT") == NOW
    assert podman.clock(None).tzinfo and podman.clock("soon").tzinfo


# ------------------------------------------------------------------ stop, and why a start fails
def test_a_container_that_cannot_be_updated_is_stopped(engine: DockerEngine, server: Server) -> None:
    engine.stop("c1", None)
    assert "/v1.41/containers/c1/stop" in server.seen


def test_any_other_engine_must_update_it_first(engine: DockerEngine, server: Server) -> None:
    server.podman = False
    with pytest.raises(EngineError, match="could not be stopped: Not Found"):
        engine.stop("c1", None)


def test_a_log_driver_that_keeps_nothing_gives_an_empty_log(engine: DockerEngine, server: Server) -> None:
    message = "this container is using the 'none' log driver, cannot read logs: this container is not logging output"
    server.documents["containers/c1/logs"] = (500, {"message": message})
    assert engine.logs("c1", 5) == ""


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (RUNC + 'exec: "/plain": permission denied: OCI permission denied', "the file's mode"),
        ("crun: open executable: Permission denied: OCI permission denied", "the file's mode"),
        ("OCI runtime create failed: runc create failed: cannot open /x: permission denied: unknown", "the file's mode"),
        (
            RUNC + 'exec: "/x": stat /x: no such file or directory: OCI runtime attempted to invoke a command that was not found',
            "in",
        ),
        (RUNC + LIMITS, "default_ulimits"),
        ('OCI runtime create failed: exec: "/plain": permission denied: unknown', "command and entrypoint"),
    ],
)
def test_a_program_that_cannot_be_executed_is_no_matter_of_a_login(message: str, part: str) -> None:
    found = remedy(message)
    assert found is not None
    assert part in found and "login" not in found
    assert not passing(message)
