"""Two promotions, health, diagnosis and a rollback on a real Podman that the lab starts. Skipped if it is not available."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from parts import lab_state, variants
from parts.errors import NotAvailableError
from parts.processes import until

from promoter.adapters.engine.connect import open_engine
from tests.live.app import App, statuses


@pytest.fixture
def podman(lab: Mapping[str, str]) -> Iterator[str]:
    """Return the address of a Podman of one test. Its directory has a short name, as the path of a socket requires."""
    state = Path(mkdtemp(prefix="lab-", dir="/var/tmp"))
    lab_state.remember(state, {"registry": lab["PROMOTER_LAB_REGISTRY"]})
    try:
        yield variants.up(state, "podman")
    except NotAvailableError as error:
        pytest.skip(str(error))
    finally:
        variants.down_all(state)
        rmtree(state, ignore_errors=True)


@pytest.mark.slow
def test_podman_is_promoted_to_again_and_again(app: App, podman: str) -> None:
    app.engine = engine = open_engine(podman)
    app.cli.env["DOCKER_HOST"] = podman
    file = app.cli.cwd / "pipeline.yaml"
    file.write_text(file.read_text().replace("    init: true\n", "    init: true\n    restart: always\n"))
    try:
        first = app.cli("run", "--json")
        assert (first.exit_code, statuses(first)) == (0, {"dev": "deployed", "prod": "deployed"}), first.text
        app.page("ready two")
        second = app.cli("run", "--json")
        assert (second.exit_code, statuses(second)) == (0, {"dev": "deployed", "prod": "deployed"}), second.text
        assert until(lambda: app.container("dev").health == "healthy", 30, every=1), "the healthcheck was never run"
        back = app.cli("rollback", "prod", "--json")
        assert (back.exit_code, back.json["release"]["id"]) == (0, first.json["release"]["id"]), back.text
        found = {one["part"]: one["detail"] for one in app.cli("doctor", "--json").json["findings"]}
        assert found["engine"].startswith("Podman Engine ")
    finally:
        engine.close()
