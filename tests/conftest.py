"""What live tests use: a real engine, a real registry, separate ports and names, the real command, and cleanup at the end.

`make test` names the parts in the environment. Plain `pytest` starts the lab once, for any number of workers.
Fakes are in tests/fakes, one for each port.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import pytest

from tests.machine_state import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary  # noqa: F401 - hooks of pytest
from tests.ports import next_port

if TYPE_CHECKING:
    from parts.swarm import Swarm

os.environ["TZ"] = "Asia/Kathmandu"  # a time zone that no test can confuse with UTC
time.tzset()
for _name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_"))]:
    del os.environ[_name]  # also in CI: no test may write to the CI job that runs it

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
LAB = (sys.executable, "-B", str(ROOT / "lab/lab.py"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark tests that need the lab or a process, so that `make test-fast` leaves them out. Put slow tests first for every worker.

    The marks are set before all other hooks run, because `-m` selects in one of them. The order is set after them.
    Each worker gets one part of the list and then takes tests from the ends of other parts: slow tests must not be at the end.
    """
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "lab" in names:
            item.add_marker("lab")
        if "cli" in names:
            item.add_marker("process")
    yield
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = spread(in_turn(slow, lambda item: "swarm" in getattr(item, "fixturenames", ()), workers), rest, workers)


def in_turn(items: Sequence[T], first: Callable[[T], bool], workers: int) -> list[T]:
    """Return the items in an order in which `spread` gives all of those for which `first` is true to the first worker.

    They share something that only one test may use at a time: on several workers they would wait for each other.
    """
    shares: list[list[T]] = [[item for item in items if first(item)], *([] for _ in range(workers - 1))]
    for item in items:
        if not first(item):
            min(shares, key=len).append(item)
    return [share[index] for index in range(max(map(len, shares))) for share in shares if index < len(share)]


def spread(slow: Sequence[T], rest: Sequence[T], workers: int) -> list[T]:
    """Return one part for each worker, concatenated. All parts have the same length and begin with their share of slow tests."""
    parts = [rest[len(rest) * n // workers : len(rest) * (n + 1) // workers] for n in range(workers)]
    return [item for n, part in enumerate(parts) for item in (*slow[n::workers], *part)]


@pytest.fixture(scope="session")
def lab() -> Mapping[str, str]:
    """Return what `lab.py env` exports: the environment if it names all parts. Otherwise start the lab, which has a lock."""
    if all(os.environ.get(f"PROMOTER_LAB_{part}") for part in ("ENGINE", "REGISTRY", "BUSYBOX")):
        return os.environ
    up = subprocess.run([*LAB, "up"], capture_output=True, text=True, check=False)
    assert up.returncode == 0, f"the lab does not come up:\n{up.stderr}"
    lines = subprocess.run([*LAB, "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: value.strip("'") for name, _, value in (line.removeprefix("export ").partition("=") for line in lines)}


@pytest.fixture(scope="session")
def engine_url(lab: Mapping[str, str]) -> str:
    """Return the engine's address, such as unix:///path."""
    return lab["PROMOTER_LAB_ENGINE"]


@pytest.fixture(scope="session")
def registry_host(lab: Mapping[str, str]) -> str:
    """Return the registry's host:port. It uses plain HTTP on loopback."""
    return lab["PROMOTER_LAB_REGISTRY"]


@pytest.fixture(scope="session")
def busybox_dir(lab: Mapping[str, str]) -> Path:
    """Return a directory with a static `busybox`, to build images FROM scratch."""
    return Path(lab["PROMOTER_LAB_BUSYBOX"])


@pytest.fixture(scope="session")
def buildx_config(lab: Mapping[str, str]) -> Path:
    """Return a DOCKER_CONFIG directory with the buildx plugin. Skip the test with the reason if it is not available."""
    return Path(_extra(lab, "BUILDX", "buildx"))


@pytest.fixture(scope="session")
def prometheus_program(lab: Mapping[str, str]) -> str:
    """Return the real Prometheus. Skip the test with the reason if it is not available."""
    return _extra(lab, "PROMETHEUS", "evidence")


@pytest.fixture(scope="session")
def cosign_programs(lab: Mapping[str, str]) -> tuple[str, ...]:
    """Return the real cosign, in one or two versions. Skip the test with the reason if it is not available."""
    return tuple(_extra(lab, "COSIGN", "evidence").split(os.pathsep))


@pytest.fixture(scope="session")
def postgres_programs(lab: Mapping[str, str]) -> Path:
    """Return the directory of PostgreSQL's own programs. Skip the test with the reason if they are not available."""
    return Path(_extra(lab, "POSTGRES", "ledgers"))


@pytest.fixture(scope="session")
def haproxy_contexts(lab: Mapping[str, str]) -> list[Path]:
    """Return build contexts of HAProxy images, one or two versions. Skip the test with the reason if they are not available."""
    return [Path(part) for part in _extra(lab, "HAPROXY", "front").split(os.pathsep)]


@pytest.fixture(scope="session")
def swarm(lab: Mapping[str, str]) -> "Swarm":
    """Return the private swarm. Use it in `with swarm.alone()`. Skip the test with the reason if it is not available."""
    from parts import swarm as swarms

    return swarms.known(Path(_extra(lab, "SWARM", "swarm")))


@pytest.fixture(scope="session")
def sshd_program(lab: Mapping[str, str]) -> list[Path]:
    """Return OpenSSH's server, then directories of its libraries. Skip the test with the reason if it is not available."""
    return [Path(part) for part in _extra(lab, "SSHD", "ledgers").split(os.pathsep)]


@pytest.fixture(scope="session")
def zsh_program(lab: Mapping[str, str]) -> str:
    """Return zsh. Skip the test with the reason if it is not available."""
    return _extra(lab, "ZSH", "shells")


@pytest.fixture(scope="session")
def fish_program(lab: Mapping[str, str]) -> str:
    """Return fish. Skip the test with the reason if it is not available."""
    return _extra(lab, "FISH", "shells")


def _extra(lab: Mapping[str, str], name: str, verb: str) -> str:
    """Return the part of the lab with this name. Fetch it with `verb` if it is not there yet."""
    if named := lab.get(f"PROMOTER_LAB_{name}"):
        return named
    got = subprocess.run([*LAB, verb], capture_output=True, text=True, check=False)
    lines = subprocess.run([*LAB, "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    start = f"export PROMOTER_LAB_{name}="
    found = next((line.removeprefix(start).strip("'") for line in lines if line.startswith(start)), None)
    return found or pytest.skip(got.stderr.strip() or f"no {name.lower()}")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that returns ports on which nothing listens and which no other worker of this machine gets."""
    return next_port


@pytest.fixture
def unique() -> str:
    """Return a unique name for a pipeline, a repository or a container."""
    return f"t{uuid4().hex[:10]}"


@dataclass(frozen=True)
class Ran:
    """The result of a run of the `promoter` command."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def json(self) -> Any:
        """Return the one JSON document on stdout, with --json."""
        return json.loads(self.stdout)

    @property
    def text(self) -> str:
        """Return all of the output, for the message of a failing assertion."""
        return f"exit {self.exit_code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Cli:
    """The real command, in a separate process with its own directory and environment."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.env = dict(env)

    def start(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("promoter")), *args],
            cwd=cwd or self.cwd,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120) -> Ran:
        process = self.start(*args, cwd=cwd, env=env)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            pytest.fail(f"promoter {' '.join(args)} ran longer than {timeout} s\n{stdout}\n{stderr}")
        return Ran(process.returncode, stdout, stderr)


@pytest.fixture
def cli(request: pytest.FixtureRequest, tmp_path: Path) -> Cli:
    """Return a `promoter` that runs in tmp_path: on the lab's engine if the test asks for it, otherwise without any engine."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PROMOTER_", "DOCKER_"))}
    env |= {"HOME": str(tmp_path), "NO_COLOR": "1", "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock"}
    for fixture, name in (("engine_url", "DOCKER_HOST"), ("registry_host", "PROMOTER_LAB_REGISTRY")):
        if fixture in request.fixturenames:
            env[name] = request.getfixturevalue(fixture)
    return Cli(tmp_path, env)


@pytest.fixture
def clean_engine(engine_url: str, unique: str) -> Iterator[str]:
    """Return `unique` as a pipeline's name. At the end, remove everything with its label from the engine."""
    yield unique
    from parts.sweep import sweep

    sweep(engine_url, unique)
