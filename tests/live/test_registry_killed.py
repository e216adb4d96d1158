"""The registry of one test, a real one, is killed by SIGKILL during a push or a pull.

If it is back at once, the run continues. If not, the run reports it and what runs keeps running, and the next run finishes.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import docker
import pytest
from parts import processes, talk

from promoter.ledger.chain import Fact, check_chain
from tests.conftest import Ran
from tests.live.app import PLAIN, App, statuses
from tests.live.registry_proxy import Act, Proxy, in_front_of

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: "{host}"}}
"""


class Registry:
    """What it received is on the disk, also what it received only in part."""

    def __init__(self, program: str, host: str, home: Path) -> None:
        self.host, self._program, self._home = host, program, home
        (home / "config.yml").write_text(CONFIG.format(data=home / "data", host=host))
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "serve", str(self._home / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert processes.until(lambda: talk.registry_silent(self.host) is None, 30), "the registry does not answer"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def registry(program: str, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Registry]:
    home = tmp_path / "registry"
    home.mkdir()
    made = Registry(program, f"127.0.0.1:{free_port()}", home)
    yield made
    made.kill()
    shutil.rmtree(home)


@pytest.fixture
def proxy(registry: Registry) -> Iterator[Proxy]:
    with in_front_of(registry.host) as made:
        yield made


@pytest.fixture
def shop(app: App, proxy: Proxy) -> App:
    """An application with one release in dev."""
    app.registry, app.pipeline = proxy.host, PLAIN
    app.write()
    app.page(f"ready one of {app.name}")
    ran = app.cli("run", "--to", "dev", "--json")
    assert ran.exit_code == 0, ran.text
    app.page(f"ready two of {app.name}")
    return app


def dies(registry: Registry, *, back: bool) -> Act:
    """Kill the registry when half of a transfer is done."""

    def act(handler: Any) -> None:
        if handler.command in ("PATCH", "PUT"):
            connection = HTTPConnection(registry.host, timeout=10)
            connection.putrequest(handler.command, handler.path)
            for name in ("Content-Type", "Content-Length", "Content-Range"):
                if value := handler.headers.get(name):
                    connection.putheader(name, value)
            connection.endheaders()
            connection.send(handler._body[: len(handler._body) // 2])
            registry.kill()
            connection.close()
        else:
            answer = handler.forward()
            registry.kill()
            handler.reply(answer, len(answer.body) // 2)
        if back:
            registry.start()
        handler.close_connection = True

    return act


def forgotten(shop: App, engine_url: str) -> None:
    """Build and push the next release, and remove it from the engine: it will be pulled."""
    ran = shop.cli("build", "--json")
    image = ran.json["release"]["images"]["web"]
    client = docker.DockerClient(base_url=engine_url)
    found: Any = client.images.get(f"{image['repository']}@{image['digest']}")
    client.images.remove(found.id, force=True)
    client.close()


def deployed(shop: App, ran: Ran, before: str) -> None:
    assert (ran.exit_code, statuses(ran)["dev"]) == (0, "deployed"), ran.text
    assert shop.container("dev").id != before
    assert shop.all() == {"dev-web": "running", "dev-web-previous": "exited"}
    lines = shop.cli("ledger", "export").stdout.encode().splitlines()
    assert all(isinstance(found, Fact) for found in check_chain(lines))


PUSH = {"a layer": "PATCH .*/blobs/uploads/", "the manifest": "PUT .*/manifests/"}
PULL = "GET .*/blobs/"


@pytest.mark.parametrize("moment", PUSH)
def test_in_the_middle_of_a_push_and_back_at_once(shop: App, proxy: Proxy, registry: Registry, moment: str) -> None:
    before = shop.container("dev").id
    rule = proxy.misbehave(f"{PUSH[moment]}.* by docker/", dies(registry, back=True), times=1)
    ran = shop.cli("run", "--to", "dev", "--json")
    assert rule.hits == 1
    deployed(shop, ran, before)


def test_in_the_middle_of_a_push_and_gone(shop: App, proxy: Proxy, registry: Registry) -> None:
    before = shop.container("dev").id
    rule = proxy.misbehave(f"{PUSH['the manifest']}.* by docker/", dies(registry, back=False), times=1)
    ran = shop.cli("run", "--to", "dev", "--json")
    assert rule.hits == 1
    assert (ran.exit_code, ran.json["reason_code"]) == (1, "push_failed"), ran.text
    assert proxy.host in ran.json["error"]["message"]
    assert (shop.container("dev").id, shop.all()) == (before, {"dev-web": "running"})
    registry.start()
    deployed(shop, shop.cli("run", "--to", "dev", "--json"), before)


def test_in_the_middle_of_a_pull_and_back_at_once(shop: App, proxy: Proxy, registry: Registry, engine_url: str) -> None:
    before = shop.container("dev").id
    forgotten(shop, engine_url)
    rule = proxy.misbehave(f"{PULL}.* by docker/", dies(registry, back=True), times=1)
    ran = shop.cli("promote", "--to", "dev", "--json")
    assert rule.hits == 1
    deployed(shop, ran, before)


def test_in_the_middle_of_a_pull_and_gone(shop: App, proxy: Proxy, registry: Registry, engine_url: str) -> None:
    before = shop.container("dev").id
    forgotten(shop, engine_url)
    rule = proxy.misbehave(f"{PULL}.* by docker/", dies(registry, back=False), times=1)
    ran = shop.cli("promote", "--to", "dev", "--json")
    assert rule.hits == 1
    (dev,) = ran.json["environments"]
    assert (ran.exit_code, dev["status"], dev["reason_code"]) == (1, "failed", "pull_failed"), ran.text
    assert dev["reasons"][-1] == "dev was not changed"
    assert (shop.container("dev").id, shop.all()) == (before, {"dev-web": "running"})
    registry.start()
    deployed(shop, shop.cli("promote", "--to", "dev", "--json"), before)
