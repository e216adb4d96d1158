"""An application behind a front: images that are built once, and a pipeline that selects which of them run."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from parts.front_images import APPS
from parts.processes import until

from promoter.pipeline.front import ASK
from tests.conftest import ROOT, Ran
from tests.live.app import App

START_FIRST = "{start-first: {drain: 5s, monitor: 1s}}"
HOLD = "{hold: {drain: 5s, monitor: 1s, max_hold: 20s}}"
PIPELINE = """\
name: {name}
services:
  web:
    image: {image}
    ports: ["127.0.0.1:{port}:8080"]
    stop_grace_period: 2s
    healthcheck: {{test: ["CMD-SHELL", "{health}"], interval: 1s, retries: 2}}
    deploy: {{replicas: {replicas}}}
environments:
  dev:
    strategy: {strategy}
{front}    verify:
      - container: {{service: web, command: ["wget", "-qO-", "http://web:8080/"]}}
"""


UPGRADE = b"GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s\r\n\r\n" % (
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)


@contextmanager
def upgraded(port: int) -> Iterator[socket.socket]:
    """Open a connection that has changed its protocol, as a WebSocket does."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as made:
        made.sendall(UPGRADE)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            part = made.recv(1)
            assert part, answer
            answer += part
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield made


@dataclass
class FrontedApp:
    """One environment behind a front. `front` is the name of its image."""

    app: App
    images: Mapping[str, str]
    strategy: str = START_FIRST
    front: str = "distribution"
    options: str = ""
    replicas: int = 1

    @property
    def port(self) -> int:
        return self.app.ports["dev"]

    def want(self, word: str) -> None:
        front = f"    front: {{image: {self.images[self.front]}{self.options}}}\n" if "recreate" not in self.strategy else ""
        text = PIPELINE.format(
            name=self.app.name,
            image=self.images[word],
            port=self.port,
            health=APPS[word][1],
            replicas=self.replicas,
            strategy=self.strategy,
            front=front,
        )
        (self.app.cli.cwd / "pipeline.yaml").write_text(text)

    def container(self, name: str) -> str:
        """Return the id of a container by its name without pipeline and environment."""
        found = self.app.engine.inspect(f"{self.app.name}-dev-{name}")
        assert found is not None, name
        return found.id

    def ask(self, line: str) -> str:
        """Send a line to the front's runtime socket, as a person may do."""
        return self.app.engine.exec(self.container("front"), ["sh", ASK, line], 10).output

    def check_front(self) -> None:
        """Run the health check of the front, which the engine otherwise does every 10 seconds."""
        seen = self.app.engine.inspect(self.container("front"))
        assert seen is not None and seen.healthcheck is not None
        assert self.app.engine.exec(seen.id, ["sh", "-c", seen.healthcheck[1]], 10).exit_code == 0

    def started_again(self, name: str) -> None:
        """Wait until the engine has restarted a container that ended."""
        assert until(lambda: self._restarts(name) > 0, 60)

    def front_answers(self) -> None:
        """Wait until the front accepts connections: the engine opens the host port before the front does."""
        front = self.container("front")
        assert until(lambda: self.app.engine.exec(front, ["sh", ASK, "show info"], 10).exit_code == 0, 60)

    def _restarts(self, name: str) -> int:
        found = self.app.engine.inspect(self.container(name))
        return found.restart_count if found is not None and found.running else 0

    def killable(self, at: int | None, *, execs: bool = True) -> list[str]:
        """Run to the point with number `at`, where the process is killed, or to the end. Return the points that it reached.

        With `execs`, each command in a container is a point too: their number differs from run to run.
        """
        directory = self.app.cli.cwd
        output = directory / "points"
        output.unlink(missing_ok=True)
        more = {"PROMOTER_POINTS": str(output), "PYTHONPATH": str(ROOT)}
        more |= {"PROMOTER_EXEC_POINTS": "1"} if execs else {}
        more |= {"PROMOTER_DIE_AT": str(at)} if at else {}
        command = [sys.executable, "-m", "tests.faults.killable", "run", "--wait-lock", "40s"]
        done = subprocess.run(
            command, cwd=directory, env={**self.app.cli.env, **more}, capture_output=True, text=True, check=False
        )
        points = output.read_text().splitlines()
        ended = 0 if at is None or len(points) < at else -9  # waits for open requests differ, so some runs have fewer points
        assert done.returncode == ended, (at, points, done.stdout + done.stderr)
        return points

    def run(self, word: str) -> Ran:
        self.want(word)
        return self.app.cli("run", "--json", "--wait-lock", "40s")
