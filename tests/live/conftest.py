"""What tests on the real engine share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promoter.adapters.engine.connect import open_engine
from tests.conftest import Cli
from tests.live.app import App


@pytest.fixture
def app(
    cli: Cli, engine_url: str, registry_host: str, busybox_dir: Path, clean_engine: str, free_port: Callable[[], int]
) -> Iterator[App]:
    engine = open_engine(engine_url)
    made = App(cli, clean_engine, registry_host, engine, {"dev": free_port(), "prod": free_port()})
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    made.dockerfile()
    made.page("ready one")
    made.write()
    yield made
    engine.close()
