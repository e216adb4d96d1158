"""The whole product on a real engine and registry, through the command: what release managers and CI depend on."""

import hashlib
import json
import signal
import subprocess
from collections.abc import Callable

import pytest
from parts.processes import until

from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.model.images import Digest, ImageRef, Repository
from tests.documents import value_at
from tests.live.app import PLAIN, SERVER, App, statuses


@pytest.mark.matrix
def test_build_push_and_promote_with_digests_that_a_third_party_finds_everywhere(app: App) -> None:
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "deployed", "prod": "deployed"}), ran.text
    recorded = ran.json["release"]["images"]["web"]
    image = ImageRef(Repository.parse(recorded["repository"]), Digest.parse(recorded["digest"]))
    manifest = HttpRegistry(Credentials()).manifest(image)
    assert manifest is not None
    assert f"sha256:{hashlib.sha256(manifest.body).hexdigest()}" == recorded["digest"]
    for environment in ("dev", "prod"):
        seen = app.container(environment)
        assert seen.labels["dev.promoter.digest"] == recorded["digest"]
        assert seen.labels["dev.promoter.release"] == ran.json["release"]["id"]
        assert app.engine.digest_of(seen.id, image.repository, image.digest) == image.digest
    promoted = [fact for fact in app.facts() if fact["kind"] == "promoted"]
    assert [value_at(fact, "services", "web", "digest") for fact in promoted] == [recorded["digest"]] * 2


@pytest.mark.matrix
def test_a_second_run_restarts_nothing(app: App) -> None:
    app.cli("run")
    before, facts = app.container("dev"), app.facts()
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "unchanged", "prod": "unchanged"}), ran.text
    assert (app.container("dev").id, app.container("dev").started_at) == (before.id, before.started_at)
    assert app.facts() == facts


SERVE = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]'
ASK = '"wget", "-qO-", "http://127.0.0.1:8080/"'
BAD = {
    "exits": (SERVER.replace(SERVE, 'CMD ["sh", "-c", "echo no database; exit 3"]'), "exit code 3"),
    "unhealthy": (SERVER.replace(ASK, '"sh", "-c", "echo not ready; exit 1"'), "not ready"),
    "no program": (SERVER.replace('"httpd", "-f"', '"no-such-program", "-f"'), "no-such-program"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_image_is_answered_with_the_earlier_container_and_exit_6(app: App, kind: str) -> None:
    good = app.cli("run", "--json").json["release"]["id"]
    old = app.container("dev")
    dockerfile, output = BAD[kind]
    app.dockerfile(dockerfile.replace("COPY www /www", "COPY www /www\nLABEL version=2"))
    ran = app.cli("run", "--json")
    entry = ran.json["environments"][0]
    assert (ran.exit_code, ran.json["decision"], entry["status"]) == (6, "rolled_back", "rolled_back"), ran.text
    assert entry["previous"] == {"id": good}
    assert any(output in reason for reason in entry["reasons"]), entry["reasons"]
    assert statuses(ran)["prod"] == "not_reached"
    assert (app.container("dev").id, app.container("dev").status) == (old.id, "running")
    assert app.all() == {"dev-web": "running", "prod-web": "running"}
    assert app.facts()[-1]["kind"] == "rolled_back"


@pytest.mark.matrix
def test_a_failed_verification_restores_too_and_the_gap_is_recorded(app: App) -> None:
    app.cli("run")
    old = app.container("dev")
    app.page("broken two")
    ran = app.cli("run", "--json")
    entry = ran.json["environments"][0]
    assert (ran.exit_code, entry["reason_code"]) == (6, "verify_failed"), ran.text
    assert entry["gap_ms"] > 0
    assert app.container("dev").id == old.id
    app.page("ready three")
    again = app.cli("run", "--json")
    assert (again.exit_code, again.json["environments"][0]["status"]) == (0, "deployed"), again.text
    assert app.all() == {"dev-web": "running", "dev-web-previous": "exited", "prod-web": "running", "prod-web-previous": "exited"}


@pytest.mark.matrix
def test_a_gate_waits_an_approval_opens_it_and_a_reject_closes_it(app: App) -> None:
    app.write(gates='[{approval: {min: 1, from: ["ana@example.com"]}}]')
    waits = app.cli("run", "--json")
    assert (waits.exit_code, waits.json["decision"], waits.json["reason_code"]) == (3, "pending", "approvals_missing"), waits.text
    asked = [fact for fact in app.facts() if fact["kind"] == "requested"][-1]
    assert asked["plan_digest"] == waits.json["environments"][1]["plan_digest"]
    assert str(value_at(asked, "plan", "images", "web")).startswith(f"{app.registry}/live/")
    refused = app.cli("approve", "prod", "--yes", "--actor", "mallory@example.com")
    assert refused.exit_code == 4, refused.text
    assert app.cli("approve", "prod", "--yes", "--actor", "ana@example.com", "--comment", "fine").exit_code == 0
    done = app.cli("promote", "--json")
    assert (done.exit_code, statuses(done)) == (0, {"dev": "unchanged", "prod": "deployed"}), done.text
    app.page("ready two")
    assert app.cli("run").exit_code == 3
    assert app.cli("reject", "prod", "--yes", "--actor", "ana@example.com", "--comment", "not now").exit_code == 0
    closed = app.cli("promote", "--json")
    assert (closed.exit_code, closed.json["reason_code"]) == (4, "rejected"), closed.text


@pytest.mark.matrix
def test_rollback_goes_back_pins_and_needs_no_approval(app: App) -> None:
    first = app.cli("run", "--json").json["release"]["id"]
    app.page("ready two")
    app.cli("run")
    back = app.cli("rollback", "prod", "--json")
    assert (back.exit_code, back.json["release"]["id"], statuses(back)) == (0, first, {"prod": "deployed"}), back.text
    status = app.cli("status", "--json").json["environments"][1]
    assert (status["release"]["id"], status["pinned"], status["health"] in ("healthy", "starting")) == (first, True, True)
    pinned = app.cli("run", "--json")
    assert (pinned.exit_code, pinned.json["environments"][1]["reason_code"]) == (3, "pinned"), pinned.text
    assert app.cli("unpin", "prod", "--reason", "mended").exit_code == 0
    assert app.cli("run").exit_code == 0


@pytest.mark.matrix
def test_a_secret_reaches_the_container_and_nothing_else(app: App) -> None:
    value = "s3cr3t-value-of-this-test"
    use = ", URL: \"db://{{ secret('DB') }}@host\""
    app.write(secrets="secrets: {DB: {env: DB_PASSWORD}}\n", secret_use=use)
    app.dockerfile(SERVER.replace('CMD ["httpd"', 'CMD ["sh", "-c", "echo $URL; exec httpd -f -p 8080 -h /www"]\n#'))
    ran = app.cli("run", "--json", env={"DB_PASSWORD": value})
    assert ran.exit_code == 0, ran.text
    outputs = [ran.text]
    logs = ("logs", ran.json["release"]["id"][:12])
    for command in (("history", "--json"), ("status",), ("plan", "--json"), logs, ("ledger", "export")):
        shown = app.cli(*command, env={"DB_PASSWORD": value})
        assert shown.exit_code == 0, shown.text
        outputs.append(shown.text)
    assert not [text for text in outputs if value in text]
    assert value.encode() not in (app.cli.cwd / ".promoter" / "ledger.db").read_bytes()
    assert f"db://{value}@host" in app.engine.logs(app.container("dev").id, 5)
    kept_back = app.cli("logs", ran.json["release"]["id"])
    assert value not in kept_back.text
    assert "cannot be redacted" in kept_back.stdout
    missing = app.cli("run", "--json")
    assert missing.exit_code == 1
    assert "DB" in missing.text


@pytest.mark.matrix
def test_a_stopped_container_is_repaired(app: App) -> None:
    first = app.cli("run")
    assert first.exit_code == 0, first.text
    app.engine.stop(app.container("prod").id, None)
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "unchanged", "prod": "deployed"}), ran.text
    assert app.container("prod").running


def test_ctrl_c_restores_the_earlier_release_and_reports_it(app: App) -> None:
    app.cli("run")
    old = app.container("dev")
    app.dockerfile(
        SERVER.replace("--interval=1s --retries=2", "--interval=1s --retries=600").replace("http://127", "http://0.0.0.0:1/127")
    )
    process = app.cli.start("run", "--json", "-v")
    assert process.stderr is not None
    next(line for line in process.stderr if "dev: replace" in line)
    new = {"dev.promoter.pipeline": app.name, "dev.promoter.environment": "dev"}
    assert until(lambda: any(c.running and c.id != old.id for c in app.engine.find(new)), 60)
    process.send_signal(signal.SIGINT)
    stdout, rest = process.communicate(timeout=60)
    assert process.returncode == 130, stdout + rest
    assert "serves the earlier release" in stdout, stdout + rest
    assert (app.container("dev").id, app.container("dev").running) == (old.id, True)
    assert "dev-web-next" not in app.all()


@pytest.mark.parametrize("moment", ["dev: pull", "dev: replace", "dev: verify"])
def test_a_killed_run_is_continued_by_the_next_run_at_once(app: App, moment: str) -> None:
    app.cli("run")
    app.page("ready two")
    process = app.cli.start("run", "-v")
    assert process.stderr is not None
    next(line for line in process.stderr if moment in line)
    process.kill()
    process.communicate()
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "deployed", "prod": "deployed"}), ran.text
    assert app.all() == {"dev-web": "running", "dev-web-previous": "exited", "prod-web": "running", "prod-web-previous": "exited"}
    again = app.cli("run", "--json")
    assert statuses(again) == {"dev": "unchanged", "prod": "unchanged"}, again.text
    started = [fact for fact in app.facts() if fact["kind"] == "started" and fact["environment"] == "dev"]
    assert started[-1]["resumed"] is True
    assert started[-1]["promotion"] == started[-2]["promotion"]


def test_two_runs_at_once_do_everything_once(app: App) -> None:
    runs = [app.cli.start("run", "--json") for _ in range(3)]
    ended = [(run.communicate(timeout=120)[0], run.returncode) for run in runs]
    codes = sorted(code for _, code in ended)
    assert codes[0] == 0, ended
    assert set(codes) <= {0, 5}, "\n".join(output for output, code in ended if code not in {0, 5})
    assert app.all() == {"dev-web": "running", "prod-web": "running"}
    assert [f["environment"] for f in app.facts() if f["kind"] == "promoted"] == ["dev", "prod"]
    assert app.cli("ledger", "verify").exit_code == 0


def test_a_missing_engine_and_a_registry_that_is_down_are_reported(app: App, free_port: Callable[[], int]) -> None:
    none = app.cli("run", "--json", env={"DOCKER_HOST": f"unix://{app.cli.cwd}/none.sock"})
    assert none.exit_code == 1, none.text
    assert "none.sock" in none.stdout
    app.registry = f"127.0.0.1:{free_port()}"
    app.write()
    down = app.cli("run", "--json")
    assert (down.exit_code, app.registry in down.stdout) == (1, True), down.text
    assert "Traceback" not in none.text + down.text
    assert app.all() == {}


def test_the_export_is_checked_by_sha256sum_alone(app: App) -> None:
    app.cli("run")
    lines = app.cli("ledger", "export").stdout.splitlines()
    previous = "sha256:" + "0" * 64
    for line in lines:
        assert json.loads(line)["prev"] == previous
        summed = subprocess.run(["sha256sum"], input=line.encode(), capture_output=True, check=True).stdout.split()[0]
        previous = f"sha256:{summed.decode()}"
    assert app.cli("ledger", "verify", "--json").json["head"] == previous


def test_an_environments_own_registry_gets_the_same_bytes(app: App) -> None:
    text = (app.cli.cwd / "pipeline.yaml").read_text()
    (app.cli.cwd / "pipeline.yaml").write_text(text.replace("  prod:\n", f"  prod:\n    registry: {app.registry}/prod-only\n"))
    ran = app.cli("run", "--json")
    assert ran.exit_code == 0, ran.text
    digest = Digest.parse(ran.json["release"]["images"]["web"]["digest"])
    there = ImageRef(Repository.parse(f"{app.registry}/prod-only/{app.name}/web"), digest)
    assert HttpRegistry(Credentials()).manifest(there) is not None
    assert app.engine.digest_of(app.container("prod").id, there.repository, digest) == digest


def test_a_program_that_ignores_sigterm_is_reported_with_the_remedy(app: App) -> None:
    """compose.md D6: containers run without an init process, as in Compose, so promoter must report the effect."""
    app.pipeline = PLAIN.replace("    init: true\n", "    stop_grace_period: 2s\n")
    app.write()
    assert app.cli("run", "--to", "dev").exit_code == 0
    app.page("ready two")
    ran = app.cli("run", "--to", "dev")
    assert ran.exit_code == 0, ran.text
    output = f"{app.name}-dev-web did not end within 2s of its stop signal and was killed: add `init: true` to the service"
    assert output in ran.text
