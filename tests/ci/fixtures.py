"""Fixtures: what tests of CI files share: a runner's tools, filled once, and jobs on machines that are thrown away."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.ci.job import Job, machine


@pytest.fixture(scope="session")
def tool_cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Where the action keeps what it installed. One for all workers: the action is made for several runners on a machine."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if hasattr(request.config, "workerinput") else base) / "tool-cache"


@pytest.fixture
def job(tmp_path: Path, tool_cache: Path) -> Callable[..., Job]:
    """A job in a workspace, on a machine with a name: `job(workspace, "one", GITHUB_REF_NAME="x")`. Nothing is cached."""

    def start(workspace: Path, name: str = "runner", env: Mapping[str, str] | None = None, **event: str) -> Job:
        room = tmp_path / f"machine-{name}"
        given = machine(room, {"GITHUB_WORKSPACE": str(workspace), "RUNNER_TOOL_CACHE": str(tool_cache), **(env or {})}, **event)
        tool_cache.mkdir(exist_ok=True)
        cache = {"actions/cache": lambda _, with_: {}}
        return Job(workspace, room / "temp", given, cache, {"github": {}, "runner": {"temp": given["RUNNER_TEMP"]}})

    return start
