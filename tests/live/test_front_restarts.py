"""A private engine is killed, or restarted in order, while a release is replaced behind a front."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import docker
import pytest
from parts import engine as engines
from parts.clients import clients
from parts.machine import as_root

from promoter.adapters.engine.connect import open_engine
from tests.conftest import Cli
from tests.live.app import App
from tests.live.fronted import HOLD, START_FIRST, FrontedApp

pytestmark = pytest.mark.slow


@pytest.fixture
def moved(
    cli: Cli,
    private_engine: Path,
    registry_host: str,
    front_images: Mapping[str, str],
    unique: str,
    free_port: Callable[[], int],
) -> Iterator[FrontedApp]:
    """An application behind a front of the private engine. The release `one` runs."""
    cli.env["DOCKER_HOST"] = engines.url(private_engine)
    with closing(open_engine(engines.url(private_engine))) as engine:
        yield FrontedApp(App(cli, unique, registry_host, engine, {"dev": free_port()}), front_images)


@pytest.mark.parametrize(
    ("strategy", "moment", "killed"),
    [
        pytest.param(START_FIRST, "rename", True, id="start-first, after the switch, killed"),
        pytest.param(HOLD, "start", False, id="hold, while requests wait, in order"),
    ],
)
def test_the_front_sends_requests_to_the_right_container_when_the_engine_is_back(
    moved: FrontedApp, private_engine: Path, strategy: str, moment: str, killed: bool
) -> None:
    moved.strategy = strategy
    assert [moved.run(word).exit_code for word in ("two", "one")] == [0, 0]
    moved.want("two")
    labels = [f"dev.promoter.pipeline={moved.app.name}", "dev.promoter.service=web"]
    with closing(docker.DockerClient(base_url=engines.url(private_engine), timeout=60)) as client:
        events = client.events(decode=True, filters={"label": labels, "event": moment})
        process = moved.app.cli.start("run", "--json")
        assert next(events)
        events.close()
    engines.again(private_engine, killed=killed)
    _, stderr = process.communicate(timeout=180)
    assert "Traceback" not in stderr
    assert process.returncode in (0, 6), stderr
    ran = moved.run("two")
    if (command := re.search(r"`(pkill [^`]+)`", ran.text)) is not None:  # the kill came just after the start of a process
        as_root(["sh", "-c", command[1]], why="end a process that the engine does not know")
        ran = moved.run("two")
    assert ran.exit_code == 0, stderr + ran.text
    assert {name for name, status in moved.app.all().items() if status == "running"} == {"dev-web", "dev-front"}
    with clients(moved.port) as load:
        load.wait_for("two")
    assert (set(load.seen), load.failed) == ({"two"}, [])
