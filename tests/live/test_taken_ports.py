"""A host port that a process has, which is not a container: reported before anything is built."""

import os
import socket

import pytest

from promoter.adapters.listening_sockets import program_of
from tests.live.app import App


@pytest.fixture(autouse=True)
def _local(engine_url: str) -> None:
    if not engine_url.startswith("unix:"):
        pytest.skip(f"the host of the engine at {engine_url} may be another machine")


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_run_names_the_process_and_builds_nothing(app: App, address: str) -> None:
    number = app.ports["dev"]
    with socket.create_server((address, number)):
        ran = app.cli("run", "--to", "dev")
        (part,) = [one for one in app.cli("doctor", "--json").json["findings"] if one["part"] == "ports of dev"]
    me = f"{program_of(os.getpid())} (process {os.getpid()})"
    assert (ran.exit_code, ran.stderr.splitlines()) == (
        1,
        [
            f"promoter: dev: port {number} of service web is in use by {me}",
            "  stop what uses the port, or give the service another port",
        ],
    )
    assert part["detail"] == f"dev: port {number} of service web is in use by {me}"
    assert app.cli("history", "--json").json == []
    assert app.engine.find({"dev.promoter.pipeline": app.name}) == ()
    assert app.cli("run", "--to", "dev").exit_code == 0, "it is free now"
