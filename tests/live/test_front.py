"""The strategies `start-first` and `hold` on a real engine with a real HAProxy: no request fails while a release is replaced."""

import os
import random

import pytest
from parts.clients import clients

from promoter.promotion.inspection.front import NOT_COMPARED
from tests.live.app import statuses
from tests.live.fronted import HOLD, START_FIRST, FrontedApp, upgraded
from tests.live.registry_proxy import in_front_of

STRATEGIES = {"start-first": START_FIRST, "hold": HOLD}
KILLED = 3
"""How many points are chosen at random; PROMOTER_TEST_POINTS=all takes all of them."""


@pytest.mark.parametrize(("strategy", "front"), [("start-first", "distribution"), ("hold", "newest")])
def test_no_request_fails_while_a_release_is_replaced(fronted: FrontedApp, strategy: str, front: str) -> None:
    if front not in fronted.images:
        pytest.skip("this machine's package sources have only one version of HAProxy")
    fronted.strategy, fronted.front = STRATEGIES[strategy], front
    assert fronted.run("one").exit_code == 0
    with clients(fronted.port) as load:
        load.wait_for("one")
        ran = fronted.run("two")
        load.wait_for("two")
        again = fronted.run("one")
    assert (ran.exit_code, again.exit_code) == (0, 0), ran.text + again.text
    assert load.failed == []
    assert set(load.seen) == {"one", "two"}
    assert [environment["gap_ms"] for environment in ran.json["environments"]] == [0]
    assert fronted.app.all() == {"dev-web": "running", "dev-web-previous": "exited", "dev-front": "running"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_request_fails_when_a_release_never_gets_healthy(fronted: FrontedApp, strategy: str) -> None:
    fronted.strategy = STRATEGIES[strategy]
    assert fronted.run("one").exit_code == 0
    old = fronted.app.container("dev").id
    with clients(fronted.port) as load:
        load.wait_for("one")
        ran = fronted.run("sick")
    assert (ran.exit_code, statuses(ran)) == (6, {"dev": "rolled_back"}), ran.text
    assert load.failed == []
    assert fronted.app.container("dev").id == old
    assert fronted.app.all() == {"dev-web": "running", "dev-front": "running"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_release_that_ends_while_it_is_monitored_gives_way_to_the_earlier_one(fronted: FrontedApp, strategy: str) -> None:
    fronted.strategy = STRATEGIES[strategy].replace("monitor: 1s", "monitor: 20s")
    assert fronted.run("one").exit_code == 0
    old = fronted.app.container("dev").id
    fronted.want("mortal")
    with clients(fronted.port) as load:
        load.wait_for("one")
        process = fronted.app.cli.start("run", "-v")
        assert process.stderr is not None
        next(line for line in process.stderr if "dev: monitor" in line)
        fronted.app.engine.exec(fronted.app.container("dev").id, ["touch", "/end"], 10)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 6, output + errors
    assert "did not stay up after the switch" in output
    assert load.failed == []
    assert fronted.app.container("dev").id == old


def test_the_status_shows_what_the_front_does(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    with clients(fronted.port) as load:
        load.wait_for("one")
    (shown,) = fronted.app.cli("status", "--json").json["environments"]
    (row,) = shown["front"]["servers"]
    assert row["answered"] >= load.seen["one"]
    assert (row["service"], row["port"], row["container"]) == ("web", 8080, f"{fronted.app.name}-dev-web")
    assert (row["gets_requests"], row["errors"], shown["front"]["problem"]) == (True, 0, None)
    assert f"{fronted.app.name}-dev-web" in fronted.app.cli("status", "dev").stdout
    assert "ANSWERED" not in fronted.app.cli("status").stdout
    fronted.app.engine.stop(fronted.container("front"), None)
    dead = fronted.app.cli("status", "dev")
    assert dead.exit_code == 0 and "the front does not run" in dead.stdout, dead.text


def test_requests_wait_in_the_front_and_the_longest_wait_is_recorded(fronted: FrontedApp) -> None:
    fronted.strategy = HOLD
    fronted.run("one")
    ran = fronted.run("two")
    assert ran.exit_code == 0, ran.text
    step = next(fact for fact in reversed(fronted.app.facts()) if fact.get("step") == "replace web")
    detail = step["detail"]
    assert isinstance(detail, dict)
    assert 0 < detail["held_ms"] < 20_000
    assert detail["gap_ms"] == 0


def test_over_the_longest_hold_the_earlier_container_comes_back(fronted: FrontedApp) -> None:
    fronted.strategy = HOLD.replace("max_hold: 20s", "max_hold: 1s")
    fronted.run("one")
    old = fronted.app.container("dev").id
    ran = fronted.run("sick")
    assert (ran.exit_code, ran.json["environments"][0]["reason_code"]) == (6, "hold_exceeded"), ran.text
    assert fronted.app.container("dev").id == old


def test_from_recreate_to_start_first_and_back(fronted: FrontedApp) -> None:
    fronted.strategy = "recreate"
    assert fronted.run("one").exit_code == 0
    fronted.strategy = START_FIRST
    ran = fronted.run("one")
    assert ran.exit_code == 0, ran.text
    assert ran.json["environments"][0]["gap_ms"] > 0
    with clients(fronted.port) as load:
        load.wait_for("one")
        assert fronted.run("two").exit_code == 0
    assert load.failed == []
    fronted.strategy = "recreate"
    ran = fronted.run("two")
    assert ran.exit_code == 0, ran.text
    assert fronted.app.all() == {"dev-web": "running", "dev-web-previous": "exited"}


def test_each_replica_is_replaced_without_a_failed_request(fronted: FrontedApp) -> None:
    fronted.replicas = 2
    assert fronted.run("one").exit_code == 0
    with clients(fronted.port) as load:
        load.wait_for("one")
        ran = fronted.run("two")
    assert ran.exit_code == 0, ran.text
    assert load.failed == []
    running = {name for name, status in fronted.app.all().items() if status == "running"}
    assert running == {"dev-web", "dev-web-2", "dev-front"}


def test_a_rollback_starts_the_earlier_container_again_without_a_failed_request(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    old = fronted.container("web")
    assert fronted.run("two").exit_code == 0
    with clients(fronted.port) as load:
        load.wait_for("two")
        ran = fronted.app.cli("rollback", "dev", "--yes", "--json")
        load.wait_for("one")
    assert (ran.exit_code, load.failed) == (0, []), ran.text
    assert fronted.container("web") == old
    assert fronted.app.all() == {"dev-web": "running", "dev-web-previous": "exited", "dev-front": "running"}


def test_a_web_socket_stays_open_until_the_drain_ends(fronted: FrontedApp) -> None:
    assert fronted.run("upgrade").exit_code == 0
    with clients(fronted.port) as load, upgraded(fronted.port) as socket:
        load.wait_for("upgrade")
        fronted.want("two")
        process = fronted.app.cli.start("run")
        load.wait_for("two", 500)  # the front has switched, and the old container was asked long ago to end its requests
        socket.sendall(b"still here")
        assert socket.recv(100) == b"still here"
        assert socket.recv(100) == b""
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, load.failed) == (0, []), output + errors


def test_tcp_mode_and_the_proxy_protocol(fronted: FrontedApp) -> None:
    fronted.options = ", mode: tcp, proxy_protocol: true"
    ran = fronted.run("one")
    assert ran.exit_code == 0, ran.text
    with clients(fronted.port, b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n") as load:
        load.wait_for("one")
        ran = fronted.run("two")
    assert ran.exit_code == 0, ran.text
    assert {"one", "two"} >= set(load.seen)


def test_a_failed_change_to_recreate_leaves_the_front_serving(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    old = fronted.app.container("dev").id
    fronted.strategy = "recreate"
    ran = fronted.run("sick")
    assert ran.exit_code == 6, ran.text
    assert fronted.app.container("dev").id == old
    assert {"dev-web", "dev-front"} <= {name for name, status in fronted.app.all().items() if status == "running"}
    with clients(fronted.port) as load:
        load.wait_for("one")
    assert load.failed == []


def test_drift_finds_a_front_that_misdirects_requests_and_repair_ends_it(fronted: FrontedApp, engine_url: str) -> None:
    assert fronted.run("one").exit_code == 0
    assert fronted.run("two").exit_code == 0
    fronted.app.engine.start(fronted.container("web-previous"))
    fronted.ask("set server web_8080/green-1 state drain; set server web_8080/blue-1 state ready")
    with clients(fronted.port) as load:
        load.wait_for("one")
    fronted.check_front()
    with in_front_of(engine_url) as engine:
        found = fronted.app.cli("drift", "dev", "--json", env={"DOCKER_HOST": f"tcp://{engine.host}"})
        assert {line.partition(" ")[0] for line in engine.seen} == {"GET"}
    assert found.exit_code == 7, found.text
    finding = next(one for one in found.json["environments"][0]["findings"] if one["kind"] == "front")
    assert (finding["path"], finding["container"]) == ("services.web.front.8080", f"{fronted.app.name}-dev-web")
    assert f"requests go to {fronted.app.name}-dev-web-blue:8080" in finding["found"]
    assert "promoter repair dev" in fronted.app.cli("drift", "dev").stdout
    repaired = fronted.app.cli("repair", "dev")
    assert repaired.exit_code == 0, repaired.text
    with clients(fronted.port) as load:
        load.wait_for("two")
    assert set(load.seen) == {"two"}
    fronted.app.engine.stop(fronted.container("web-previous"), None)
    again = fronted.app.cli("drift", "dev", "--json")
    assert again.exit_code == 0, again.text
    assert NOT_COMPARED not in again.json["environments"][0]["not_compared"]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_request_fails_when_promoter_is_killed_and_run_again(fronted: FrontedApp, strategy: str) -> None:
    fronted.strategy = STRATEGIES[strategy]
    assert fronted.run("one").exit_code == 0
    fronted.want("two")
    points = len(fronted.killable(None))
    seed = int(os.environ.get("PROMOTER_TEST_SEED", random.randrange(1 << 32)))
    every = os.environ.get("PROMOTER_TEST_POINTS") == "all"
    chosen = range(1, points + 1) if every else sorted(random.Random(seed).sample(range(1, points + 1), KILLED))
    for turn, at in enumerate(chosen):
        word = ("one", "two")[turn % 2]
        with clients(fronted.port) as load:
            load.wait_for(("two", "one")[turn % 2])
            fronted.want(word)
            where = f"killed {fronted.killable(at)[-1]} ({at} of {points}), PROMOTER_TEST_SEED={seed}"
            ran = fronted.run(word)
            assert ran.exit_code == 0, where + ran.text
            load.wait_for(word)
        assert load.failed == [], where
        running = {name for name, status in fronted.app.all().items() if status == "running"}
        assert running == {"dev-web", "dev-front"}, where


def test_a_kept_container_takes_over_when_promoter_was_killed_after_its_rename(fronted: FrontedApp) -> None:
    for word in ("one", "two"):
        assert fronted.run(word).exit_code == 0
    fronted.want("one")
    points = fronted.killable(None, execs=False)  # how often a front is asked depends on its speed
    assert fronted.run("two").exit_code == 0
    fronted.want("one")
    at = len(points) - points[::-1].index("after engine.rename")
    assert fronted.killable(at, execs=False)[-1] == "after engine.rename"
    assert fronted.run("one").exit_code == 0
    assert fronted.app.all() == {"dev-web": "running", "dev-web-previous": "exited", "dev-front": "running"}


def test_a_front_that_is_killed_comes_back_with_what_was_set_last(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    assert fronted.run("two").exit_code == 0
    fronted.app.engine.exec(fronted.container("front"), ["kill", "-9", "1"], 10)
    fronted.app.engine.exec(fronted.container("front"), ["sh", "-c", "kill -9 $(pidof haproxy)"], 10)
    fronted.started_again("front")
    fronted.app.engine.start(fronted.container("web-previous"))  # it may get no requests, although it runs
    with clients(fronted.port) as load:
        load.wait_for("two")
    assert set(load.seen) == {"two"}


def test_requests_wait_until_the_container_is_there_after_a_reboot(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    engine = fronted.app.engine
    for name in ("front", "web"):
        engine.stop(fronted.container(name), None)
    engine.start(fronted.container("front"))
    fronted.front_answers()
    with clients(fronted.port) as load:
        assert not load.seen
        engine.start(fronted.container("web"))
        load.wait_for("one")
    assert load.failed == []


def test_a_container_that_was_stopped_is_started_again(fronted: FrontedApp) -> None:
    assert fronted.run("one").exit_code == 0
    old = fronted.container("web")
    fronted.app.engine.stop(old, None)
    ran = fronted.run("one")
    assert ran.exit_code == 0, ran.text
    assert fronted.container("web") == old
    with clients(fronted.port) as load:
        load.wait_for("one")
    assert load.failed == []
