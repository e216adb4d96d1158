"""Ways to bypass gates and to enter containers of others that once worked. Each is named after the attack that found it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.stage import PAGE, Stage, page

ANY = [{"approval": {"min": 1}}]
ME = ("--actor", "ana@example.com")


def approved(stage: Stage) -> None:
    stage.promoter("approve", "prod", "--yes", "--actor", "ben@example.com")
    stage.promoter("promote")


def test_break_2_a_rollback_brings_no_configuration_from_the_branch(stage: Stage, free_port: Callable[[], int]) -> None:
    port = free_port()
    web = stage.service(PAGE.format("good"), ports=[f"127.0.0.1:{port}:8080"], environment={"RELEASE": "1"})
    stage.file({"web": web}, {"prod": {"gates": ANY}})
    first = stage.promoter("run", "--json", code=3).json["release"]["id"]
    approved(stage)
    evil = {**web, "command": ["sh", "-c", PAGE.format("evil")], "volumes": ["/etc:/host-etc"]}
    stage.document["services"] = {"web": evil}
    stage.write()
    refused = stage.promoter("rollback", "prod", "--to", first[:12], "--reason", "x", "--actor", "mallory", code=2)
    assert "runs in prod already" in refused.text
    assert page(port) == "good"

    stage.document["services"] = {"web": web, "more": stage.service()}
    stage.write()
    stage.promoter("run", code=3)
    approved(stage)
    stage.document["services"] = {"web": evil, "more": stage.service()}
    stage.write()
    back = stage.promoter("rollback", "prod", "--reason", "x", "--actor", "mallory", "--json")
    assert back.json["release"]["id"] == first
    assert "prod: rolling back from release" in back.text and "will be pinned" in back.text
    assert page(port) == "good"
    assert not stage.of("prod", "web").attrs["Mounts"]


def test_break_2_another_configuration_is_a_promotion_and_asks_the_gates(stage: Stage) -> None:
    stage.file({"web": stage.service(environment={"V": "1"})}, {"prod": {"gates": ANY}})
    stage.promoter("run", code=3)
    approved(stage)
    stage.file({"web": stage.service(environment={"V": "2"}), "more": stage.service()}, {"prod": {"gates": ANY}})
    stage.promoter("run", code=3)
    approved(stage)
    asked = stage.promoter("rollback", "prod", "--current-config", "--json", code=2)
    assert "has no image for more" in asked.text
    stage.document["services"].pop("more")
    stage.write()
    asked = stage.promoter("rollback", "prod", "--current-config", "--json", code=3)
    assert asked.json["environments"][0]["reason_code"] == "approval_used"


def test_break_2_rollback_is_limited_to_the_listed_roles(stage: Stage) -> None:
    rule = {"rollback": {"from": ["release-manager"]}}
    stage.file({"web": stage.service()}, {"dev": rule}, roles={"release-manager": ["ana@example.com"]})
    stage.promoter("run")
    stage.file({"web": stage.service(), "b": stage.service()}, {"dev": rule}, roles={"release-manager": ["ana@example.com"]})
    stage.promoter("run")
    refused = stage.promoter("rollback", "dev", "--json", "--actor", "mallory", code=4)
    assert refused.json["environments"][0]["reason_code"] == "role_missing"
    assert "mallory may not roll back dev; these may: ana@example.com" in refused.text
    stage.promoter("rollback", "dev", *ME)


def test_break_3_two_pipelines_whose_names_meet(stage: Stage) -> None:
    stage.file({"web": stage.service()}, {"prod-a": {}})
    stage.promoter("run")
    first = stage.of("prod-a", "web")
    there = stage.cli.cwd / "other"
    there.mkdir()
    stage.document |= {"name": f"{stage.name}-prod", "environments": {"a": {}}}
    stage.write("other/pipeline.yaml")
    refused = stage.cli("run", "--json", cwd=there)
    assert (refused.exit_code, refused.json["environments"][0]["reason_code"]) == (1, "start_failed"), refused.text
    assert f"container {stage.name}-prod-a-web is not ours" in refused.text
    assert "a was not changed" in refused.text
    first.reload()
    assert first.status == "running"


@pytest.mark.parametrize("suffix", ["", "-next", "-previous", "-older", "-trial"])
def test_break_3_a_strangers_container_under_a_name_that_is_needed(stage: Stage, suffix: str) -> None:
    stage.file({"web": stage.service()}, {"dev": {}})
    theirs = stage.stranger(f"{stage.name}-dev-web{suffix}", labels={"dev.promoter.pipeline": stage.name}, volumes=["/data"])
    refused = stage.promoter("run", "--json", code=1)
    assert refused.json["environments"][0]["reason_code"] == "start_failed"
    assert f"container {stage.name}-dev-web{suffix} is not ours" in refused.text
    theirs.reload()
    assert (theirs.name, theirs.status) == (f"{stage.name}-dev-web{suffix}", "running")
    assert len(stage.names()) == 1


def test_break_3_a_gated_environment_is_not_taken_by_an_ungated_one(stage: Stage) -> None:
    web = stage.service()
    stage.file({"web": web}, {"dev": {"services": {"web": {"container_name": f"{stage.name}-prod-web"}}}, "prod": {"gates": ANY}})
    refused = stage.promoter("validate", code=2)
    assert f"container name {stage.name}-prod-web is already used by web in dev" in refused.text
    stage.promoter("run", "--to", "dev", code=2)
    assert stage.names() == []


@pytest.mark.parametrize(
    ("services", "message"),
    [
        (("web", "web-next"), "web-next"),
        (("web", "web-previous"), "web-previous"),
        (("web", "web-older"), "web-older"),
        (("web", "web-2"), "web-2"),
        (("before-1", "web"), "before-1"),
    ],
)
def test_break_3_names_of_one_file_that_meet(stage: Stage, services: tuple[str, str], message: str) -> None:
    made = {name: stage.service() for name in services}
    made["web"]["deploy"] = {"replicas": 2}
    before = [{"container": {"service": "web", "command": ["true"]}}]
    stage.file(made, {"dev": {"before": before}})
    refused = stage.promoter("validate", code=2)
    assert f"container name {stage.name}-dev-{message} is already used by" in refused.text


def test_break_3_a_network_and_a_volume_of_another(stage: Stage) -> None:
    stage.client.networks.create(f"{stage.name}-dev-back", labels={"theirs": "yes", "dev.promoter.pipeline": stage.name})
    stage.file({"web": stage.service(networks=["back"])}, {"dev": {}}, networks={"back": {}})
    refused = stage.promoter("run", "--json", code=1)
    assert f"network {stage.name}-dev-back is not ours" in refused.text
    assert stage.names() == []
    volume = stage.client.volumes.create(f"{stage.name}-dev-data", labels={"dev.promoter.pipeline": stage.name})
    stage.file({"web": stage.service(volumes=["data:/data"])}, {"dev": {}}, volumes={"data": {}})
    refused = stage.promoter("run", "--json", code=1)
    assert f"volume {volume.name} is not ours" in refused.text
    assert stage.names() == []


def test_break_10_a_vetoed_or_frozen_release_is_not_repaired_by_default(stage: Stage) -> None:
    stage.file({"web": stage.service()}, {"prod": {}})
    release = stage.promoter("run", "--json").json["release"]["id"]
    stage.promoter("veto", release, "--reason", "leaks")
    stage.of("prod", "web").remove(force=True)
    for verb in (("promote",), ("repair", "prod")):
        refused = stage.promoter(*verb, "--json", code=4)
        assert refused.json["environments"][0]["reason_code"] == "vetoed"
        assert stage.names() == []
    stage.promoter("repair", "prod", "--force", code=2)
    forced = stage.promoter("repair", "prod", "--force", "--reason", "until the fix is out", "--json")
    assert forced.json["environments"][0]["status"] == "deployed"
    assert stage.facts()[-1]["reason"] == "until the fix is out"
    stage.promoter("freeze", "prod", "--reason", "year end")
    stage.of("prod", "web").stop()
    assert stage.promoter("repair", "prod", "--json", code=4).json["environments"][0]["reason_code"] == "vetoed"


def test_break_10_a_frozen_environment_waits_and_a_pinned_one_is_repaired(stage: Stage) -> None:
    stage.file({"web": stage.service()}, {"prod": {}})
    stage.promoter("run")
    stage.promoter("freeze", "prod", "--reason", "year end")
    before = stage.of("prod", "web")
    before.stop()
    waits = stage.promoter("promote", "--json", code=3)
    assert waits.json["environments"][0]["reason_code"] == "frozen"
    stage.promoter("unfreeze", "prod", "--reason", "new year")
    stage.promoter("pin", "prod", "--reason", "observed")
    stage.promoter("repair")
    before.reload()
    assert before.status == "running", "a stopped container is started again, not replaced"


def test_break_12_another_ledger_is_refused_until_a_person_accepts_it(stage: Stage) -> None:
    stage.file({"web": stage.service()}, {"dev": {}})
    stage.promoter("run")
    first = stage.of("dev", "web")
    shutil.rmtree(stage.cli.cwd / ".promoter")
    for verb in ("run", "promote"):
        refused = stage.promoter(verb, "--json", code=4)
        assert refused.json["environments"][0]["reason_code"] == "other_ledger"
    assert "PROMOTER_ACCEPT_LEDGER=dev" in refused.text
    first.reload()
    assert first.status == "running"
    stage.promoter("promote", PROMOTER_ACCEPT_LEDGER="dev")
    assert stage.of("dev", "web").labels["dev.promoter.ledger"] != first.labels["dev.promoter.ledger"]
    stage.promoter("promote")


def test_break_14_a_mounted_file_that_changes_makes_the_approval_stale(stage: Stage) -> None:
    site = stage.cli.cwd / "site"
    site.mkdir()
    (site / "index.html").write_text("approved")
    stage.file({"web": stage.service(volumes=["./site:/www:ro"])}, {"prod": {"gates": ANY}})
    stage.promoter("run", code=3)
    stage.promoter("approve", "prod", "--yes", "--actor", "ben@example.com")
    (site / "index.html").write_text("evil")
    refused = stage.promoter("promote", "--json", code=4)
    assert refused.json["environments"][0]["reason_code"] == "approval_stale"
    plan = stage.promoter("plan", "--json").json["environments"][0]
    assert str(stage.cli.cwd) not in str(stage.facts()), "no plan holds the path of a checkout"
    (site / "index.html").write_text("approved")
    stage.promoter("promote")
    assert plan["plan_digest"] != stage.facts()[-1]["plan_digest"]


def test_break_14_a_verifying_program_that_changes_makes_the_approval_stale(stage: Stage) -> None:
    smoke = stage.cli.cwd / "smoke.sh"
    smoke.write_text("#!/bin/sh\nexit 0\n")
    smoke.chmod(0o755)
    verify = [{"command": {"run": ["./smoke.sh"]}}]
    stage.file({"web": stage.service()}, {"prod": {"gates": ANY, "verify": verify}})
    stage.promoter("run", code=3)
    stage.promoter("approve", "prod", "--yes", "--actor", "ben@example.com")
    smoke.write_text("#!/bin/sh\necho evil\n")
    refused = stage.promoter("promote", "--json", code=4)
    assert refused.json["environments"][0]["reason_code"] == "approval_stale"


def test_break_15_a_soak_restarts_when_the_release_was_down(stage: Stage) -> None:
    stage.file({"web": stage.service()}, {"test": {}, "prod": {"gates": [{"soak": {"in": "test", "for": "1h"}}]}})
    stage.promoter("run", code=3)
    lived = stage.of("test", "web")
    steady = stage.promoter("explain", "prod", "--json", code=None).json["gates"][0]
    lived.restart(timeout=0)
    soaking = stage.promoter("promote", "--to", "prod", "--json", code=3).json["environments"][1]
    assert soaking["reason_code"] == "soaking"
    assert "was started again" in soaking["reasons"][0] and "was started again" not in str(steady)
    lived.kill()
    down = stage.promoter("promote", "--to", "prod", "--json", code=3).json["environments"]
    assert {e["name"]: e["status"] for e in down} == {"test": "deployed", "prod": "pending"}, "test was repaired on the way"


def test_small_an_unchanged_file_rolls_back_without_its_secrets(stage: Stage) -> None:
    secrets = {"TOKEN": {"env": "STAGE_TOKEN"}}
    web = stage.service(environment={"TOKEN": "{{ secret('TOKEN') }}"})
    stage.file({"web": web}, {"dev": {}}, secrets=secrets)
    stage.promoter("run", STAGE_TOKEN="hunter2-alpha")
    before = stage.of("dev", "web")
    stage.file({"web": {**web, "environment": {"PLAIN": "x"}}, "b": stage.service()}, {"dev": {}})
    stage.promoter("run")
    stage.file({"web": web}, {"dev": {}}, secrets=secrets)
    back = stage.promoter("rollback", "dev", "--json")
    assert back.json["environments"][0]["status"] == "deployed"
    assert stage.of("dev", "web").id == before.id, "the container that was kept is started again"

    stage.file({"web": {**web, "environment": {"PLAIN": "y"}}, "c": stage.service()}, {"dev": {}})
    stage.promoter("unpin", "dev", "--reason", "on")
    stage.promoter("run")
    stage.get(f"{stage.name}-dev-web-previous").remove(force=True)
    stage.file({"web": web}, {"dev": {}}, secrets=secrets)
    refused = stage.promoter("rollback", "dev", "--json", code=1)
    assert "secret TOKEN" in refused.text and "dev was not changed" in refused.text
    other = stage.promoter("rollback", "dev", "--json", code=1, STAGE_TOKEN="another-value")
    assert "secret TOKEN has changed" in other.text
    stage.promoter("rollback", "dev", STAGE_TOKEN="hunter2-alpha")


def test_break_7_no_message_of_the_engine_contains_a_secret(stage: Stage, tmp_path: Path) -> None:
    value = "hunter2-ALPHA-9f3c77"
    web = {"image": stage.image, "entrypoint": ["--password={{ secret('ALPHA') }}"]}
    stage.file({"web": web}, {"dev": {}}, secrets={"ALPHA": {"env": "STAGE_ALPHA"}})
    reports = {"PROMOTER_JUNIT": "junit.xml", "PROMOTER_DOTENV": "out.env", "PROMOTER_DEBUG": "1"}
    failed = stage.promoter("run", "--json", code=1, STAGE_ALPHA=value, **reports)
    written = [file.read_bytes() for file in stage.cli.cwd.rglob("*") if file.is_file()]
    assert "[secret ALPHA]" in failed.text, "the engine repeats the word that it cannot run"
    for text in (failed.text, stage.promoter("ledger", "export").stdout, stage.promoter("status").text):
        assert value not in text
    assert len(written) > 3 and not [data for data in written if value.encode() in data]
