"""What must be the same on every engine that `make matrix` starts: PROMOTER_LAB_ENGINES has them, as `name=address …`."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from parts.sweep import sweep

from promoter.adapters.engine.connect import open_engine
from promoter.model.images import Digest, Repository
from promoter.model.labels import release_of
from tests.conftest import Cli
from tests.documents import value_at
from tests.live.app import PLAIN, SERVER, App, statuses


@pytest.fixture
def engines(engine_url: str, unique: str) -> Iterator[Mapping[str, str]]:
    """Return the engines of the matrix, or the lab's own. Remove from each what the test's pipeline made."""
    pairs = (word.partition("=") for word in os.environ.get("PROMOTER_LAB_ENGINES", "").split())
    found = {name.replace(".", "-"): address for name, _, address in pairs} or {"lab": engine_url}
    yield found
    for address in {*found.values(), engine_url}:
        sweep(address, unique)


def test_one_release_has_the_same_digests_on_all_engines(
    cli: Cli,
    engines: Mapping[str, str],
    unique: str,
    registry_host: str,
    busybox_dir: Path,
    free_port: Callable[[], int],
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """Built once on the lab's engine. Each environment is one of the engines, and all record in one ledger."""
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    (cli.cwd / "www").mkdir()
    (cli.cwd / "www/index.html").write_text("ready one")
    (cli.cwd / "Dockerfile").write_text(SERVER)
    web = {"build": ".", "init": True, "ports": ["127.0.0.1:{{ port }}:8080"]}
    environments = {name: {"engine": [address], "vars": {"port": free_port()}} for name, address in engines.items()}
    document = {"name": unique, "registry": f"{registry_host}/matrix", "services": {"web": web}, "environments": environments}
    (cli.cwd / "pipeline.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    ran = cli("run", "--json", timeout=300)
    assert (ran.exit_code, statuses(ran)) == (0, dict.fromkeys(engines, "deployed")), ran.text
    image = ran.json["release"]["images"]["web"]
    promoted = [fact for fact in map(json.loads, cli("ledger", "export").stdout.splitlines()) if fact["kind"] == "promoted"]
    recorded = {fact["environment"]: value_at(fact, "services", "web", "digest") for fact in promoted}
    assert recorded == dict.fromkeys(engines, image["digest"])
    assert len({value_at(fact, "engine", "fingerprint") for fact in promoted}) == len(set(engines.values()))
    for name, address in engines.items():
        with closing(open_engine(address)) as engine:
            container = engine.inspect(f"{unique}-{name}-web")
            assert container is not None and release_of(container.labels) == ran.json["release"]["id"]
            digest, repository = Digest.parse(image["digest"]), Repository.parse(image["repository"])
            assert engine.digest_of(container.id, repository, digest) == digest
        record_testsuite_property(f"digest {name}", recorded[name])
    again = cli("run", "--json", timeout=300)
    assert (again.exit_code, statuses(again)) == (0, dict.fromkeys(engines, "unchanged")), again.text


@pytest.mark.matrix
def test_plan_status_and_doctor_know_the_engine(app: App) -> None:
    assert app.cli("run").exit_code == 0
    planned = app.cli("plan", "--json")
    assert planned.exit_code == 0, planned.text
    seen = {one["name"]: one["health"] for one in app.cli("status", "--json").json["environments"]}
    assert seen == {"dev": "healthy", "prod": "healthy"}
    found = {one["part"]: one for one in app.cli("doctor", "--json").json["findings"]}
    with closing(open_engine(app.cli.env["DOCKER_HOST"])) as engine:
        version = engine.client().get(f"{engine.client().base_url}/version").json()
    product = "Podman Engine" if version["Components"][0]["Name"] == "Podman Engine" else "Docker Engine"
    assert found["engine"]["ok"]
    assert found["engine"]["detail"].startswith(f"{product} {version['Version']} on ")


@pytest.mark.matrix
def test_a_program_that_may_not_be_executed_is_reported_with_its_cause(app: App) -> None:
    app.dockerfile(SERVER.replace('CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]', 'CMD ["/www/index.html"]'))
    app.pipeline = PLAIN.replace("    init: true\n", "")
    app.write()
    ran = app.cli("run", "--json", "--to", "dev")
    assert ran.exit_code == 1, ran.text
    reasons = " ".join(ran.json["environments"][0]["reasons"])
    assert "permission denied" in reasons.lower()
    assert "docker login" not in reasons
    assert "executable" in reasons or "could not be executed" in reasons
