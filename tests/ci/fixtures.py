"""Fixtures: wheels and a runner's tools are made once for any number of workers; each job has a new machine."""

import fcntl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ci.job import Job, machine
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return a directory that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if hasattr(request.config, "workerinput") else base) / "runner"
    made.mkdir(exist_ok=True)
    return made


@contextmanager
def first(directory: Path) -> Iterator[bool]:
    """Return whether this is the first process to make what `directory` is named after. The others wait until it is done."""
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = directory.with_suffix(".done")
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def wheelhouse(shared: Path) -> Path:
    """Make what `make wheelhouse` makes."""
    directory = shared / "wheelhouse"
    with first(directory) as mine:
        if mine:
            command = ["make", "--no-print-directory", "wheelhouse", f"WHEELHOUSE={directory}"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="session")
def tool_cache(shared: Path, wheelhouse: Path) -> Path:
    """The directory of what the action has installed. It has run once, with a directory as package index."""
    directory = shared / "tools"
    with first(directory) as mine:
        if mine:
            directory.mkdir()
            (shared / "pipeline.yaml").write_text("name: shop\nservices: {}\nenvironments: {dev: {}}\n")
            one = started(shared, shared / "machine", directory, wheelhouse)
            one.action(ROOT, {"command": "validate"})
            assert [step.outcome for step in one.ran if step.name == "Install promoter's dependencies"] == ["success"], one.log
    return directory


def started(workspace: Path, directory: Path, tools: Path, wheelhouse: Path, env: Mapping[str, str] | None = None) -> Job:
    """Return a job at its beginning. pip uses no index: these tests do not test the network."""
    local = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheelhouse), "PIP_CONFIG_FILE": "/dev/null"}
    given = machine(directory, {"GITHUB_WORKSPACE": str(workspace), "RUNNER_TOOL_CACHE": str(tools), **local, **(env or {})})
    nothing_cached = {"actions/cache": lambda _, with_: {}}
    return Job(workspace, directory / "temp", given, nothing_cached, {"github": {}, "runner": {"temp": given["RUNNER_TEMP"]}})


@pytest.fixture
def job(tmp_path: Path, tool_cache: Path, wheelhouse: Path) -> Callable[..., Job]:
    """Return a job in a workspace, on a machine with a name: `job(workspace, "one", {"GITHUB_REF_NAME": "x"})`."""

    def start(workspace: Path, name: str = "runner", env: Mapping[str, str] | None = None) -> Job:
        return started(workspace, tmp_path / f"machine-{name}", tool_cache, wheelhouse, env)

    return start
