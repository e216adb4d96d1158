"""A registry that misbehaves, with the real command, the real engine and the real registry.

A temporary fault is waited for without a report. A lasting one ends the run with its reason, and what runs keeps running.
"""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from promoter.adapters.engine import images
from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.ledger.chain import Fact, check_chain
from promoter.model.errors import DigestMismatch, PullError, RegistryError
from promoter.model.images import Digest, ImageRef, Repository
from tests.conftest import Ran
from tests.live.app import PLAIN, App
from tests.live.registry_proxy import (
    FOREVER,
    Act,
    Proxy,
    another_digest,
    cut,
    hang,
    in_front_of,
    other_bytes,
    respond,
    round_and_round,
)

ENGINE, OURS = "by docker/", "by promoter"
SLOW_DOWN = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'
DENIED = b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
GONE = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'


@pytest.fixture
def proxy(registry_host: str) -> Iterator[Proxy]:
    with in_front_of(registry_host) as made:
        yield made


@pytest.fixture
def shop(app: App, proxy: Proxy) -> App:
    """Its images are unique: an engine that pulls the same layer for two tests waits for both."""
    app.registry, app.pipeline = proxy.host, PLAIN
    app.write()
    app.page(f"ready one of {app.name}")
    return app


@dataclass(frozen=True)
class Case:
    what: str
    act: Act
    reason: str = ""
    words: str = ""
    hint: str = ""
    times: int = FOREVER


# ---------------------------------------------------------------- push
PASSING_PUSHES = {
    "429 at the manifest": Case(f"PUT .*/manifests/.* {ENGINE}", respond(429, SLOW_DOWN), times=1),
    "429 that says nothing": Case(f"PUT .*/manifests/.* {ENGINE}", respond(429), times=1),
    "500 at the manifest": Case(f"PUT .*/manifests/.* {ENGINE}", respond(500), times=2),
    "503 when it is looked up": Case(f"/manifests/.* {OURS}", respond(503), times=2),
    "cut when it is looked up": Case(f"GET .*/manifests/.* {OURS}", cut(10), times=2),
}
FAILING_PUSHES = {
    "500": Case(
        f"PUT .*/manifests/.* {ENGINE}", respond(500), "push_failed", "could not be pushed: .*500", "its log and its disk"
    ),
    "403": Case(f"PUT .*/manifests/.* {ENGINE}", respond(403, DENIED), "push_failed", "pushed: .*denied", "docker login"),
    "429": Case(f"/manifests/.* {OURS}", respond(429, SLOW_DOWN), "push_failed", "no more requests .*slow down", "docker login"),
    "other bytes": Case(f"GET .*/manifests/.* {OURS}", other_bytes, "digest_mismatch", "sends other bytes", "do not run"),
    "a page of HTML": Case(
        f"GET .*/manifests/.* {OURS}",
        respond(200, b"<html>", Content_Type="text/html"),
        "digest_mismatch",
        "sends other bytes",
        "do not run",
    ),
    "circles": Case(f"/manifests/.* {OURS}", round_and_round, "push_failed", "redirects in circles", "check its proxy"),
}


@pytest.mark.parametrize("case", PASSING_PUSHES.values(), ids=PASSING_PUSHES)
def test_a_push_waits_for_what_passes(shop: App, proxy: Proxy, case: Case) -> None:
    rule = proxy.misbehave(case.what, case.act, case.times)
    ran = shop.cli("build", "--json")
    assert ran.exit_code == 0, ran.text
    assert rule.hits == case.times


@pytest.mark.parametrize("case", FAILING_PUSHES.values(), ids=FAILING_PUSHES)
def test_a_push_ends_with_what_lasts_and_makes_no_release(shop: App, proxy: Proxy, case: Case) -> None:
    proxy.misbehave(case.what, case.act)
    ran = shop.cli("run", "--json")
    assert (ran.exit_code, ran.json["reason_code"]) == (1, case.reason), ran.text
    check_message(ran.json["error"]["message"], ran.json["error"]["hint"] or "", proxy, case)
    assert shop.all() == {}
    proxy.behave()
    assert shop.cli("run", "--to", "dev").exit_code == 0


def check_message(message: str, hint: str, proxy: Proxy, case: Case) -> None:
    assert re.search(case.words, message), message
    assert proxy.host in message
    assert case.hint in hint


# ---------------------------------------------------------------- pull
PASSING_PULLS = {
    "500 at the manifest": Case(f"GET .*/manifests/.* {ENGINE}", respond(500), times=1),
    "429 at the manifest": Case(f"GET .*/manifests/.* {ENGINE}", respond(429, SLOW_DOWN), times=2),
    "503 at a layer": Case(f"GET .*/blobs/.* {ENGINE}", respond(503), times=1),
    "a layer cut short": Case(f"GET .*/blobs/.* {ENGINE}", cut(100), times=1),
}
FAILING_PULLS = {
    "500": Case(f"/manifests/.* {ENGINE}", respond(500), "pull_failed", "could not be pulled: .*500", "its log and its disk"),
    "429": Case(f"/manifests/.* {ENGINE}", respond(429, SLOW_DOWN), "pull_failed", "slow down", "docker login"),
    "403": Case(f"/manifests/.* {ENGINE}", respond(403, DENIED), "pull_failed", "could not be pulled: denied", "docker login"),
    "gone": Case(f"/manifests/.* {ENGINE}", respond(404, GONE), "pull_failed", "manifest unknown", "whether it was deleted"),
    "other bytes of a manifest": Case(f"GET .*/manifests/.* {ENGINE}", other_bytes, "pull_failed", "pulled", "sends other bytes"),
    "other bytes of a layer": Case(f"GET .*/blobs/.* {ENGINE}", other_bytes, "pull_failed", "verification", "sends other bytes"),
    "a page of HTML": Case(
        f"GET .*/manifests/.* {ENGINE}",
        respond(200, b"<html>", Content_Type="text/html"),
        "pull_failed",
        "pulled",
        "sends other bytes",
    ),
}


@pytest.fixture
def upgrade(shop: App, engine_url: str) -> None:
    """Make one release run in dev. Build another one, and remove it from the engine."""
    assert shop.cli("run", "--to", "dev").exit_code == 0
    shop.page(f"ready two of {shop.name}")
    ran = shop.cli("build", "--json")
    image = ran.json["release"]["images"]["web"]
    client = docker.DockerClient(base_url=engine_url)
    found: Any = client.images.get(f"{image['repository']}@{image['digest']}")
    client.images.remove(found.id, force=True)
    client.close()


@pytest.mark.usefixtures("upgrade")
@pytest.mark.parametrize("case", PASSING_PULLS.values(), ids=PASSING_PULLS)
def test_a_pull_waits_for_what_passes(shop: App, proxy: Proxy, case: Case) -> None:
    rule = proxy.misbehave(case.what, case.act, case.times)
    ran = shop.cli("promote", "--to", "dev", "--json")
    assert ran.exit_code == 0, ran.text
    assert rule.hits == case.times


@pytest.mark.usefixtures("upgrade")
@pytest.mark.parametrize("case", FAILING_PULLS.values(), ids=FAILING_PULLS)
def test_a_pull_ends_with_what_lasts_and_what_runs_goes_on(shop: App, proxy: Proxy, case: Case) -> None:
    before = shop.container("dev")
    rule = proxy.misbehave(case.what, case.act)
    ran = shop.cli("promote", "--to", "dev", "--json")
    (dev,) = ran.json["environments"]
    assert (ran.exit_code, dev["status"], dev["reason_code"]) == (1, "failed", case.reason), ran.text
    assert rule.hits > 0
    check_message(dev["reasons"][0], " ".join(dev["reasons"]), proxy, case)
    assert dev["reasons"][-1] == "dev was not changed"
    assert (shop.container("dev").id, shop.all()) == (before.id, {"dev-web": "running"})
    finished(shop, proxy, before.id)


def finished(shop: App, proxy: Proxy, before: str) -> None:
    """Check that the next run finishes, with a registry without faults."""
    proxy.behave()
    ran: Ran = shop.cli("promote", "--to", "dev", "--json")
    assert ran.exit_code == 0, ran.text
    assert shop.container("dev").id != before
    lines = shop.cli("ledger", "export").stdout.encode().splitlines()
    assert all(isinstance(found, Fact) for found in check_chain(lines))


# ---------------------------------------------------------------- promoter's own requests
@pytest.fixture
def registry() -> Iterator[HttpRegistry]:
    made = HttpRegistry(Credentials(), timeout=(1.0, 0.3), sleep=lambda _: None)
    yield made
    made.close()


def test_a_registry_that_hangs_is_given_up(registry: HttpRegistry, proxy: Proxy) -> None:
    rule = proxy.misbehave("/manifests/", hang)
    image = ImageRef(Repository(proxy.host, "live/x"), Digest("0" * 64))
    with pytest.raises(RegistryError, match="does not answer in time") as error:
        registry.manifest(image)
    assert (error.value.retryable, rule.hits) == (True, 4)


def test_a_digest_header_that_does_not_match_the_content_is_ignored(shop: App, registry: HttpRegistry, proxy: Proxy) -> None:
    ran = shop.cli("build", "--json")
    check_message = ran.json["release"]["images"]["web"]
    image = ImageRef(Repository.parse(check_message["repository"]), Digest.parse(check_message["digest"]))
    proxy.misbehave("GET .*/manifests/", another_digest)
    found = registry.manifest(image)
    assert found is not None
    assert found.digest == image.digest
    proxy.behave()
    proxy.misbehave("GET .*/manifests/", other_bytes)
    with pytest.raises(DigestMismatch):
        registry.manifest(image)


# ---------------------------------------------------------------- no answer
@pytest.mark.usefixtures("upgrade")
def test_a_pull_that_hangs_is_given_up(shop: App, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "SILENCE", 0.3)
    rule = proxy.misbehave(f"GET .*/blobs/.* {ENGINE}", hang)
    check_message = shop.cli("show", str(shop.facts()[-1]["release"]), "--json").json["release"]["images"]["web"]
    image = ImageRef(Repository.parse(check_message["repository"]), Digest.parse(check_message["digest"]))
    with pytest.raises(PullError, match="could not be pulled") as error:
        shop.engine.pull(image, None, lambda *_: None)
    assert (error.value.retryable, rule.hits > 0) == (True, True)


@pytest.mark.usefixtures("upgrade")
def test_an_interrupted_pull_that_hangs_ends_at_once_and_leaves_all_as_it_was(shop: App, proxy: Proxy) -> None:
    before = shop.container("dev")
    rule = proxy.misbehave(f"GET .*/blobs/.* {ENGINE}", hang)
    process = shop.cli.start("promote", "--to", "dev", "--json")
    assert rule.hit.wait(30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert json.loads(stdout)["environments"][0]["reason_code"] == "interrupted"
    assert (shop.container("dev").id, shop.all()) == (before.id, {"dev-web": "running"})
    proxy.closing.set()
    finished(shop, proxy, before.id)
