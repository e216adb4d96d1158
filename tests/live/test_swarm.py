"""Promotions to a real Docker Swarm of three managers: all services or none, lost nodes, and a kill."""

import base64
import json

import pytest
from parts import talk
from parts.swarm import PASSWORD

from tests.live.app import statuses
from tests.live.clusters import TWO, Clustered
from tests.live.swarm_nodes import followers, killed, without_registry

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("swarm")]


def test_a_release_is_promoted_inspected_changed_by_hand_and_repaired(clustered: Clustered) -> None:
    ran = clustered.run("first", before='[{container: {service: job, command: ["sh", "-c", "echo migrated"]}}]')
    assert (ran.exit_code, statuses(ran)) == (0, {"prod": "deployed"}), ran.text
    assert (clustered.service().running, clustered.pages()) == (3, ["first"] * 3)
    image = clustered.spec()["TaskTemplate"]["ContainerSpec"]["Image"]
    assert image.endswith(ran.json["release"]["images"]["web"]["digest"])
    ran = clustered.cli("status", "--json")
    assert (ran.json["environments"][0]["health"], ran.json["environments"][0]["faults"]) == ("running", []), ran.text
    ran = clustered.cli("drift")
    assert ran.exit_code == 0, ran.text
    assert clustered.cli("promote", "--json").json["reason_code"] == "nothing_to_do"
    assert "migrated" in clustered.cli("logs").text
    ran = clustered.cli("exec", "prod", "web", "--replica", "2", "--yes", "--", "cat", "/run/secrets/token", "/etc/motd")
    assert ran.stdout.strip() == "[secret token]first", ran.text

    clustered.update(lambda spec: spec["TaskTemplate"]["ContainerSpec"]["Env"].append("WORD=other"))
    clustered.await_update("completed")
    ran = clustered.cli("drift", "--json")
    found = ran.json["environments"][0]["findings"]
    assert (ran.exit_code, [one["path"] for one in found]) == (7, ["services.web.environment.WORD"]), ran.text
    ran = clustered.cli("repair", "prod", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"prod": "deployed"}), ran.text
    assert clustered.cli("drift").exit_code == 0
    assert "3 of 3 nodes ready" in clustered.cli("doctor").text
    clustered.cluster.remove(clustered.service("job").id)
    assert "missing" in clustered.cli("status").text
    assert clustered.cli("repair", "prod").exit_code == 0
    assert clustered.service("job").running == 1


def test_a_bad_release_returns_every_service_to_what_is_recorded(clustered: Clustered) -> None:
    assert clustered.run("first").exit_code == 0
    kept = {name: clustered.spec(name)["TaskTemplate"] for name in ("web", "job")}
    clustered.cli.env["TOKEN"] = "rotated-value"
    ran = clustered.run("second", good=False, motd="second")
    assert (ran.exit_code, ran.json["environments"][0]["reason_code"]) == (6, "update_paused"), ran.text
    assert "unhealthy container" in ran.text
    assert {name: clustered.spec(name)["TaskTemplate"] for name in ("web", "job")} == kept
    assert clustered.pages() == ["first"] * 3
    ran = clustered.run("third", motd="third")
    assert ran.exit_code == 0, ran.text
    assert clustered.pages() == ["third"] * 3
    ran = clustered.cli("exec", "prod", "web", "--yes", "--", "sh", "-c", "cat /etc/motd; wc -c < /run/secrets/token")
    assert ran.stdout.split() == [f"third{len('rotated-value')}"], ran.text
    clustered.cli.env["TOKEN"] = "s3cret-value"
    ran = clustered.cli("rollback", "prod", "--yes", "--json")
    assert ran.exit_code == 0, ran.text
    assert clustered.pages() == ["first"] * 3


def test_a_node_that_cannot_pull_stops_the_promotion_before_anything_is_changed(clustered: Clustered) -> None:
    assert clustered.run("first").exit_code == 0
    kept = clustered.spec()
    with without_registry(clustered.swarm, 3):
        ran = clustered.run("second")
    (environment,) = ran.json["environments"]
    assert (ran.exit_code, environment["reason_code"]) == (1, "pull_failed"), ran.text
    assert "could not be pulled on node-3" in ran.text
    assert "has this image: look at the connection from node-3" in ran.text
    assert clustered.spec() == kept
    assert clustered.cli("status", "--json").json["environments"][0]["health"] == "running"


def test_nodes_pull_with_the_login_of_the_one_who_promotes(clustered: Clustered) -> None:
    clustered.registry = clustered.swarm.locked
    folder = clustered.cli.cwd / ".docker"
    folder.mkdir()
    login = base64.b64encode(":".join(PASSWORD).encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {clustered.swarm.locked: {"auth": login}}}))
    ran = clustered.run("first", deploy="{mode: global, endpoint_mode: dnsrr}")
    assert (ran.exit_code, statuses(ran)) == (0, {"prod": "deployed"}), ran.text
    assert clustered.pages() == ["first"] * 3


@pytest.mark.parametrize("leads", [True, False], ids=["the leader", "another manager"])
def test_a_node_that_is_lost_in_the_middle_of_an_update_is_replaced(clustered: Clustered, leads: bool) -> None:
    assert clustered.run("first", deploy=TWO, ports="[]", verify="").exit_code == 0
    node = clustered.swarm.leader() if leads else followers(clustered.swarm)[-1]
    clustered.write("second")
    process = clustered.cli.start("run", "-v")
    assert process.stderr is not None
    next(line for line in process.stderr if "replace web" in line)
    with killed(clustered.swarm, node):
        output, errors = process.communicate(timeout=180)
        assert process.returncode == 0, output + errors
        running = [task.node for task in clustered.service().tasks if task.wanted and task.state == "running"]
        assert len(running) == 2
        assert f"node-{node}" not in running
    assert clustered.cli("status", "--json").json["environments"][0]["health"] == "running"


def test_a_promotion_that_is_killed_is_finished_or_taken_back_by_the_next_run(clustered: Clustered) -> None:
    assert clustered.run("first").exit_code == 0
    for word in ("second", "third"):
        clustered.write(word)
        process = clustered.cli.start("run", "-v")
        assert process.stderr is not None
        next(line for line in process.stderr if "replace web" in line)
        clustered.await_update()
        process.kill()
        process.communicate()
    ran = clustered.run("third")
    assert (ran.exit_code, statuses(ran)) == (0, {"prod": "deployed"}), ran.text
    assert clustered.pages() == ["third"] * 3
    assert "what it had begun was taken back" in clustered.cli("history", "-v").text
    status, text = talk.get(clustered.swarm.url(1), f'/services?filters={{"name":["{clustered.name}"]}}')
    assert (status, len(json.loads(text))) == (200, 2), text
