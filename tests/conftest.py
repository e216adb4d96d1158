"""What live tests stand on: a real engine, a real registry, ports and names of their own, the real command, and a clean end.

`make test` names the parts in the environment; plain `pytest` brings the lab up once, whatever the number of workers.
Not a place for fakes: those are in tests/fakes, one a port.
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
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from tests.machine_state import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary  # noqa: F401 - hooks of pytest
from tests.ports import next_port

os.environ["TZ"] = "Asia/Kathmandu"  # a clock on the wall that no test may take for UTC
time.tzset()
for _name in [name for name in os.environ if name.startswith(("GITHUB_", "GITLAB_"))]:
    del os.environ[_name]  # also in CI: no test may speak to the step that runs it

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
LAB = (sys.executable, "-B", str(ROOT / "lab/lab.py"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what needs the lab or a process of its own: `make test-fast` leaves both out. Let every worker begin with slow tests.

    The marks come before all other hooks, because `-m` selects in one of them; the order comes after them.
    Each worker gets one part of the list and then steals from the ends of others: what is slow must not come last.
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
    items[:] = spread(slow, rest, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def spread(slow: Sequence[T], rest: Sequence[T], workers: int) -> list[T]:
    """As many parts as workers, one behind the other, of equal length; each begins with its share of what is slow."""
    parts = [rest[len(rest) * n // workers : len(rest) * (n + 1) // workers] for n in range(workers)]
    return [item for n, part in enumerate(parts) for item in (*slow[n::workers], *part)]


@pytest.fixture(scope="session")
def lab() -> Mapping[str, str]:
    """What `lab.py env` exports: the environment as it is when it names all parts, else the lab is brought up (it locks)."""
    if all(os.environ.get(f"PROMOTER_LAB_{part}") for part in ("ENGINE", "REGISTRY", "BUSYBOX")):
        return os.environ
    up = subprocess.run([*LAB, "up"], capture_output=True, text=True, check=False)
    assert up.returncode == 0, f"the lab does not come up:\n{up.stderr}"
    lines = subprocess.run([*LAB, "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: value.strip("'") for name, _, value in (line.removeprefix("export ").partition("=") for line in lines)}


@pytest.fixture(scope="session")
def engine_url(lab: Mapping[str, str]) -> str:
    """The engine's address, such as unix:///path."""
    return lab["PROMOTER_LAB_ENGINE"]


@pytest.fixture(scope="session")
def registry_host(lab: Mapping[str, str]) -> str:
    """The registry's host:port; plain HTTP on loopback."""
    return lab["PROMOTER_LAB_REGISTRY"]


@pytest.fixture(scope="session")
def busybox_dir(lab: Mapping[str, str]) -> Path:
    """A directory that holds a static `busybox`, to build images FROM scratch."""
    return Path(lab["PROMOTER_LAB_BUSYBOX"])


@pytest.fixture(scope="session")
def buildx_config(lab: Mapping[str, str]) -> Path:
    """A DOCKER_CONFIG directory with the buildx plugin; where none can be had, the test is skipped and says why."""
    return Path(_extra(lab, "BUILDX", "buildx"))


@pytest.fixture(scope="session")
def prometheus_program(lab: Mapping[str, str]) -> str:
    """The real Prometheus; where none can be had, the test is skipped and says why."""
    return _extra(lab, "PROMETHEUS", "evidence")


@pytest.fixture(scope="session")
def cosign_programs(lab: Mapping[str, str]) -> tuple[str, ...]:
    """The real cosign, one or two versions of it; where none can be had, the test is skipped and says why."""
    return tuple(_extra(lab, "COSIGN", "evidence").split(os.pathsep))


@pytest.fixture(scope="session")
def postgres_programs(lab: Mapping[str, str]) -> Path:
    """The directory of PostgreSQL's own programs; where none can be had, the test is skipped and says why."""
    return Path(_extra(lab, "POSTGRES", "ledgers"))


@pytest.fixture(scope="session")
def haproxy_contexts(lab: Mapping[str, str]) -> list[Path]:
    """Build contexts of images of HAProxy, one or two versions; where none can be had, the test is skipped and says why."""
    return [Path(part) for part in _extra(lab, "HAPROXY", "front").split(os.pathsep)]


@pytest.fixture(scope="session")
def sshd_program(lab: Mapping[str, str]) -> list[Path]:
    """OpenSSH's server, then directories of its libraries; where it cannot be had, the test is skipped and says why."""
    return [Path(part) for part in _extra(lab, "SSHD", "ledgers").split(os.pathsep)]


@pytest.fixture(scope="session")
def zsh_program(lab: Mapping[str, str]) -> str:
    """Zsh; where it cannot be had, the test is skipped and says why."""
    return _extra(lab, "ZSH", "shells")


@pytest.fixture(scope="session")
def fish_program(lab: Mapping[str, str]) -> str:
    """Fish; where it cannot be had, the test is skipped and says why."""
    return _extra(lab, "FISH", "shells")


def _extra(lab: Mapping[str, str], name: str, verb: str) -> str:
    """What the lab has of this name, fetched by `verb` where that has not been done."""
    if named := lab.get(f"PROMOTER_LAB_{name}"):
        return named
    got = subprocess.run([*LAB, verb], capture_output=True, text=True, check=False)
    lines = subprocess.run([*LAB, "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    start = f"export PROMOTER_LAB_{name}="
    found = next((line.removeprefix(start).strip("'") for line in lines if line.startswith(start)), None)
    return found or pytest.skip(got.stderr.strip() or f"no {name.lower()}")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A port that nobody listens on and that no other worker of this machine is given."""
    return next_port


@pytest.fixture
def unique() -> str:
    """A name that nothing else has: good for a pipeline, a repository, a container."""
    return f"t{uuid4().hex[:10]}"


@dataclass(frozen=True)
class Ran:
    """What a run of the `promoter` command gave."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def json(self) -> Any:
        """The one JSON document on stdout, with --json."""
        return json.loads(self.stdout)

    @property
    def text(self) -> str:
        """All of it, for a failing assertion to show."""
        return f"exit {self.exit_code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Cli:
    """The real command, in a process of its own, at a place and with an environment of its own."""

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
    """Runs `promoter` in tmp_path: on the lab's engine when the test asks for it, else with none in reach, not even by chance."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PROMOTER_", "DOCKER_"))}
    env |= {"HOME": str(tmp_path), "NO_COLOR": "1", "DOCKER_HOST": f"unix://{tmp_path}/no-engine.sock"}
    for fixture, name in (("engine_url", "DOCKER_HOST"), ("registry_host", "PROMOTER_LAB_REGISTRY")):
        if fixture in request.fixturenames:
            env[name] = request.getfixturevalue(fixture)
    return Cli(tmp_path, env)


@pytest.fixture
def clean_engine(engine_url: str, unique: str) -> Iterator[str]:
    """`unique` as a pipeline's name; at the end everything that carries its label is removed from the engine."""
    yield unique
    from parts.sweep import sweep

    sweep(engine_url, unique)
