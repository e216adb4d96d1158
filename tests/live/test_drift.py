"""`promoter drift` on a real engine and registry: each kind of difference, made by hand."""

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import docker
import pytest
import requests

from tests.conftest import Ran
from tests.live.app import App
from tests.live.registry_proxy import in_front_of

PIPELINE = """\
name: {name}
registry: {registry}/live
services:
  web:
    build: .
    init: true
    ports: ["127.0.0.1:{{{{ port }}}}:8080"]
    environment: {{LEVEL: info, TOKEN: "{{{{ secret('TOKEN') }}}}"}}
    volumes: ["./conf:/conf:ro", "/scratch"]
{secrets}{drift}environments:
  dev:
    vars: {{port: {dev}}}
"""
SECRETS = "secrets: {TOKEN: {file: token}}\n"


@pytest.fixture
def shop(app: App) -> App:
    app.pipeline = PIPELINE
    (app.cli.cwd / "token").write_text("s3cret-value\n")
    (app.cli.cwd / "conf").mkdir()
    (app.cli.cwd / "conf" / "app.conf").write_text("one\n")
    app.write(secrets=SECRETS, drift="")
    ran = app.cli("run", "--quiet")
    assert ran.exit_code == 0, ran.text
    return app


@pytest.fixture
def client(engine_url: str) -> Iterator[docker.DockerClient]:
    with closing(docker.DockerClient(base_url=engine_url)) as made:
        yield made


def drift(shop: App, *options: str, code: int = 7) -> dict[str, Any]:
    ran = shop.cli("drift", "dev", "--json", *options)
    assert ran.exit_code == code, ran.text
    (environment,) = ran.json["environments"]
    return dict(environment)


def kinds(environment: dict[str, Any]) -> dict[str, str]:
    return {finding["path"]: finding["kind"] for finding in environment["findings"]}


def web(shop: App, client: docker.DockerClient) -> Any:
    return client.containers.get(f"{shop.name}-dev-web")


def image(shop: App) -> tuple[str, str, str]:
    """Return the path of the repository, the digest, and the tag."""
    released = next(fact for fact in shop.facts() if fact["kind"] == "released")
    content: Any = released["content"]
    tags: Any = released["tags"]
    made = content["images"]["web"]
    return made["repository"].partition("/")[2], made["digest"], tags["web"]


def test_what_was_promoted_is_in_sync(shop: App) -> None:
    found = drift(shop, code=0)
    assert (found["status"], found["findings"], found["reasons"]) == ("in_sync", [], [])
    shop.page("ready two")
    assert shop.cli("build", "--quiet").exit_code == 0
    assert drift(shop, code=0)["status"] == "in_sync"  # a release that waits is not drift


def test_a_stopped_container_is_recorded_once_and_a_repair_ends_it(shop: App, client: docker.DockerClient) -> None:
    web(shop, client).stop(timeout=1)
    assert kinds(drift(shop)) == {"services.web.containers": "stopped"}
    assert kinds(drift(shop)) == {"services.web.containers": "stopped"}
    drifted = [fact for fact in shop.facts() if fact["kind"] == "drifted"]
    assert len(drifted) == 1
    assert shop.cli("repair", "dev", "--quiet").exit_code == 0
    assert drift(shop, code=0)["status"] == "in_sync"
    web(shop, client).stop(timeout=1)
    drift(shop)
    assert len([fact for fact in shop.facts() if fact["kind"] == "drifted"]) == 2


def test_a_removed_container_is_missing(shop: App, client: docker.DockerClient) -> None:
    web(shop, client).remove(force=True)
    assert kinds(drift(shop)) == {"services.web.containers": "missing"}
    text = shop.cli("drift")
    assert text.exit_code == 7 and "promoter repair dev" in text.stdout


def test_a_container_that_was_replaced_by_hand(shop: App, client: docker.DockerClient) -> None:
    made_from = web(shop, client).attrs["Config"]["Image"]
    web(shop, client).remove(force=True)
    environment = {"LEVEL": "debug", "TOKEN": "typed-by-hand", "MORE": "hunter2"}
    client.containers.run(
        made_from, name=f"{shop.name}-dev-web", environment=environment, network=f"{shop.name}-dev", detach=True
    )
    ran = shop.cli("drift", "dev", "--json")
    assert ran.exit_code == 7, ran.text
    found = kinds(ran.json["environments"][0])
    assert found["services.web.containers"] == "replaced"
    wanted = {"LEVEL", "TOKEN", "MORE"}
    assert {path for path in found if ".environment." in path} == {f"services.web.environment.{name}" for name in wanted}
    assert found["services.web.ports"] == "configuration" and found["services.web.volumes./conf"] == "configuration"
    seen = ran.text + json.dumps(shop.facts()) + shop.cli("drift").text
    assert not any(value in seen for value in ("typed-by-hand", "hunter2", "s3cret-value"))
    client.containers.get(f"{shop.name}-dev-web").remove(force=True)


def test_another_image_under_the_old_name(shop: App, client: docker.DockerClient, shell_image: str) -> None:
    web(shop, client).remove(force=True)
    client.containers.run(shell_image, ["sleep", "60"], name=f"{shop.name}-dev-web", detach=True)
    found = drift(shop)
    assert kinds(found)["images.web"] == "digest"
    (one,) = [finding for finding in found["findings"] if finding["kind"] == "digest"]
    assert one["expected"] == image(shop)[1] and shell_image in one["found"]
    client.containers.get(f"{shop.name}-dev-web").remove(force=True)


def test_changed_limits_and_another_network(shop: App, client: docker.DockerClient) -> None:
    web(shop, client).update(mem_limit="64m", memswap_limit="128m")
    client.networks.get("bridge").connect(web(shop, client))
    found = drift(shop)
    assert kinds(found) == {"services.web.mem_limit": "configuration", "services.web.networks.bridge": "configuration"}
    assert kinds(drift(shop, "--ignore", "services.web.networks")) == {"services.web.mem_limit": "configuration"}
    shop.write(drift="drift: {ignore: [web.networks.*, web.mem_limit]}\n")
    ignored = drift(shop, code=0)
    assert (ignored["status"], len(ignored["ignored"])) == ("in_sync", 2)


def test_extra_renamed_and_orphaned_containers(shop: App, client: docker.DockerClient, shell_image: str) -> None:
    labels = {"dev.promoter.pipeline": shop.name, "dev.promoter.environment": "dev"}
    for service in ("web", "cache"):
        own = {**labels, "dev.promoter.service": service}
        made = client.containers.run(shell_image, ["sleep", "60"], labels=own, detach=True)
        made.rename(f"{shop.name}-by-hand-{service}")
    web(shop, client).rename(f"{shop.name}-old")
    found = drift(shop)
    by_name = {finding["container"].removeprefix(f"{shop.name}-"): finding["kind"] for finding in found["findings"]}
    assert by_name == {"by-hand-web": "extra", "by-hand-cache": "orphaned", "old": "configuration"}


def test_a_moved_tag_and_a_manifest_that_is_gone(shop: App, registry_host: str) -> None:
    path, digest, tag = image(shop)
    url = f"http://{registry_host}/v2/{path}/manifests"
    accept = "application/vnd.oci.image.manifest.v1+json,application/vnd.docker.distribution.manifest.v2+json"
    manifest = requests.get(f"{url}/{tag}", headers={"Accept": accept}, timeout=10)
    other = manifest.content + b"\n"  # other bytes have another digest
    put = requests.put(f"{url}/{tag}", other, headers={"Content-Type": manifest.headers["Content-Type"]}, timeout=10)
    assert put.status_code == 201, put.text
    found = drift(shop)
    assert kinds(found) == {"tags.web": "tag_moved"}
    deleted = requests.delete(f"{url}/{digest}", timeout=10)
    assert deleted.status_code == 202, deleted.text
    assert kinds(drift(shop)) == {"images.web": "manifest_gone", "tags.web": "tag_moved"}
    assert drift(shop, "--ignore", "tags", "--ignore", "images.web", code=0)["status"] == "in_sync"


def test_another_secret_and_an_edited_file(shop: App) -> None:
    (shop.cli.cwd / "token").write_text("another-value\n")
    (shop.cli.cwd / "conf" / "app.conf").write_text("two\n")
    found = drift(shop)
    assert kinds(found) == {"secrets.TOKEN": "secret_changed", 'files."./conf"': "file_changed"}
    (shop.cli.cwd / "token").unlink()
    assert any("TOKEN" in note for note in drift(shop)["not_compared"])


def test_what_cannot_be_asked_is_unknown_and_not_drift(shop: App) -> None:
    ran = shop.cli("drift", "--json", env={"DOCKER_HOST": f"unix://{shop.cli.cwd}/nothing.sock"})
    assert ran.exit_code == 1, ran.text
    (found,) = ran.json["environments"]
    assert found["status"] == "unknown" and found["reasons"] and found["findings"] == []
    assert not any(fact["kind"] == "drifted" for fact in shop.facts())


def test_engine_and_registry_get_only_get_requests(app: App, engine_url: str, registry_host: str) -> None:
    with in_front_of(registry_host) as registry, in_front_of(engine_url) as engine:
        app.registry, app.pipeline = registry.host, PIPELINE
        (app.cli.cwd / "token").write_text("s3cret-value\n")
        (app.cli.cwd / "conf").mkdir()
        (app.cli.cwd / "conf" / "app.conf").write_text("one\n")
        app.write(secrets=SECRETS, drift="")
        ran = app.cli("run", "--quiet")
        assert ran.exit_code == 0, ran.text
        registry.seen.clear()
        for code in (0, 7):
            compared = app.cli("drift", "--json", env={"DOCKER_HOST": f"tcp://{engine.host}"})
            assert compared.exit_code == code, compared.text
            app.engine.stop(f"{app.name}-dev-web", None)
        assert {line.partition(" ")[0] for line in [*registry.seen, *engine.seen]} == {"GET"}
        assert any("/manifests/" in line for line in registry.seen) and any("/containers/" in line for line in engine.seen)


def test_watch_goes_on_until_it_is_interrupted(shop: App, client: docker.DockerClient) -> None:
    web(shop, client).stop(timeout=1)
    process = shop.cli.start("drift", "dev", "--watch")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert "drifted" in lines[1] and process.returncode == 130
    refused: Ran = shop.cli("drift", "--watch", "--json")
    assert refused.exit_code == 2
