"""One release on three real engines: all or restored, a host that is away, one that is cut off in the middle, and a kill."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest
from parts import engine as engines
from parts.errors import LabError

from promoter.adapters.engine.connect import open_engine
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from tests.conftest import Cli, Ran
from tests.live.app import SERVER, statuses
from tests.live.relay import Relay, in_front_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hosts")]
NAMES = ("one", "two", "three")
PIPELINE = """\
name: {name}
registry: {registry}/live
services:
  web:
    build: .
    init: true
    stop_grace_period: 1s
    healthcheck: {{test: ["CMD", "test", "-e", "/www/good"], interval: 1s, retries: 2}}
environments:
  prod:
    engine: [{engines}]
    rollout: {rollout}
    before:
      - container: {{service: web, command: ["true"]}}
    verify:
      - container: {{service: web, command: ["wget", "-qO-", "http://web:8080/"]}}
"""
IMAGE = "".join(line for line in SERVER.splitlines(keepends=True) if not line.startswith("HEALTH"))


@pytest.fixture(scope="module")
def addresses(engine_url: str) -> Iterator[tuple[str, ...]]:
    """The lab's engine and two private ones: three machines, as far as promoter can see."""
    states = [Path(mkdtemp(prefix="engine-", dir="/var/tmp")) for _ in NAMES[1:]]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(engines.up, states))
        yield (engine_url, *(engines.url(state) for state in states))
    except LabError as reason:
        pytest.skip(str(reason))
    finally:
        for state in states:
            engines.down(state)
            shutil.rmtree(state, ignore_errors=True)


@dataclass
class Fleet:
    """An environment on three hosts, each behind a relay that can be cut."""

    cli: Cli
    name: str
    registry: str
    relays: dict[str, Relay]
    engines: dict[str, Engine]
    rollout: str = "{}"

    def write(self, word: str, *, good: bool = True) -> None:
        shutil.rmtree(self.cli.cwd / "www", ignore_errors=True)
        (self.cli.cwd / "www").mkdir()
        (self.cli.cwd / "www/index.html").write_text(f"{word} of {self.name}")
        if good:
            (self.cli.cwd / "www/good").touch()
        hosts = ", ".join(f"{{name: {name}, engine: 'unix://{relay.path}'}}" for name, relay in self.relays.items())
        text = PIPELINE.format(name=self.name, registry=self.registry, engines=hosts, rollout=self.rollout)
        (self.cli.cwd / "pipeline.yaml").write_text(text)

    def run(self, word: str, *, good: bool = True) -> Ran:
        self.write(word, good=good)
        return self.cli("run", "--json", "--wait-lock", "40s")

    def web(self, host: str) -> Container | None:
        return self.engines[host].inspect(f"{self.name}-prod-web")

    def ids(self) -> dict[str, str | None]:
        """The running container of each host."""
        found = {host: self.web(host) for host in NAMES}
        return {host: one.id if one is not None and one.running else None for host, one in found.items()}

    def pages(self) -> list[str]:
        """What each host answers, read inside its container."""
        texts = []
        for host in NAMES:
            container = self.web(host)
            assert container is not None, host
            answer = self.engines[host].exec(container.id, ["wget", "-qO-", "http://127.0.0.1:8080/"], 10)
            texts.append(answer.output.strip().removesuffix(f" of {self.name}"))
        return texts


@pytest.fixture
def fleet(
    cli: Cli, addresses: tuple[str, ...], registry_host: str, busybox_dir: Path, clean_engine: str, tmp_path: Path
) -> Iterator[Fleet]:
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    (cli.cwd / "Dockerfile").write_text(IMAGE)
    with ExitStack() as stack:
        sockets = Path(mkdtemp(prefix="hosts-", dir="/tmp"))  # a socket's path has a limit
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        relays, opened = {}, {}
        for name, address in zip(NAMES, addresses, strict=True):
            relays[name] = stack.enter_context(in_front_of(address, sockets, name))
            opened[name] = open_engine(address)
            stack.callback(opened[name].close)
        made = Fleet(cli, clean_engine, registry_host, relays, opened)
        yield made
        for engine in opened.values():
            for container in engine.find({"dev.promoter.pipeline": clean_engine}):
                engine.remove(container.id)


def hosts(ran: Ran) -> dict[str, str]:
    return {one["name"]: one["status"] for one in ran.json["environments"][0]["hosts"]}


def test_all_hosts_get_a_release_or_each_gets_its_earlier_one_back(fleet: Fleet) -> None:
    ran = fleet.run("first")
    assert (ran.exit_code, hosts(ran)) == (0, dict.fromkeys(NAMES, "deployed")), ran.text
    kept = fleet.ids()
    assert None not in kept.values()
    assert fleet.pages() == ["first"] * 3
    ran = fleet.run("second", good=False)
    assert (ran.exit_code, hosts(ran)) == (6, {"one": "restored", "two": "unchanged", "three": "unchanged"}), ran.text
    assert fleet.ids() == kept
    assert fleet.run("third").exit_code == 0
    assert fleet.pages() == ["third"] * 3
    assert fleet.cli("drift").exit_code == 0
    ran = fleet.cli("exec", "prod", "web", "--host", "two", "--yes", "--", "cat", "/www/index.html")
    assert ran.stdout.strip() == f"third of {fleet.name}", ran.text
    assert fleet.cli("rollback", "prod", "--yes").exit_code == 0
    assert fleet.ids() == kept
    shown = fleet.cli("status", "--json").json["environments"][0]
    assert [(one["name"], one["health"], one["behind"]) for one in shown["hosts"]] == [(name, "healthy", None) for name in NAMES]


def test_a_host_that_is_away_stops_the_run_or_is_caught_up_later(fleet: Fleet) -> None:
    assert fleet.run("first").exit_code == 0
    kept = fleet.ids()
    fleet.relays["three"].cut()
    fleet.write("second")
    release = fleet.cli("build", "--json").json["release"]["id"]
    ran = fleet.cli("promote", release, "--json")
    assert ran.exit_code == 1, ran.text
    assert (ran.json["reason_code"], fleet.ids()) == ("host_unreachable", kept), ran.text
    fleet.rollout = "{unreachable: skip}"
    ran = fleet.run("second")
    assert (ran.exit_code, hosts(ran)) == (0, {"one": "deployed", "two": "deployed", "three": "behind"}), ran.text
    assert fleet.ids()["three"] == kept["three"]
    shown = fleet.cli("status")
    assert "three does not answer" in shown.text
    assert "promoter repair prod" in shown.text
    fleet.relays["three"].connect()
    newer = fleet.ids()
    ran = fleet.cli("repair", "prod", "--json")
    assert ran.exit_code == 0, ran.text
    assert fleet.pages() == ["second"] * 3
    assert {host: fleet.ids()[host] for host in NAMES[:2]} == {host: newer[host] for host in NAMES[:2]}


def test_a_host_that_is_cut_off_in_the_middle_gets_the_release_when_it_is_back(fleet: Fleet) -> None:
    assert fleet.run("first").exit_code == 0
    fleet.write("second")
    process = fleet.cli.start("run", "-v")
    assert process.stderr is not None
    next(line for line in process.stderr if "three: replace" in line)
    fleet.relays["three"].cut()
    next(line for line in process.stderr if "batch" in line or "two: replace" in line)
    fleet.relays["three"].connect()
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    assert fleet.pages() == ["second"] * 3


def test_a_rollout_that_is_killed_is_finished_by_the_next_run(fleet: Fleet) -> None:
    assert fleet.run("first").exit_code == 0
    fleet.write("second")
    process = fleet.cli.start("run", "-v")
    assert process.stderr is not None
    next(line for line in process.stderr if "two: replace" in line)
    process.kill()
    process.communicate()
    ran = fleet.run("second")
    assert (ran.exit_code, statuses(ran)) == (0, {"prod": "deployed"}), ran.text
    assert fleet.pages() == ["second"] * 3
    for host in NAMES:
        found = {one.name for one in fleet.engines[host].find({"dev.promoter.pipeline": fleet.name})}
        assert found == {f"{fleet.name}-prod-web", f"{fleet.name}-prod-web-previous"}, host
