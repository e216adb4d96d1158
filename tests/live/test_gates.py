"""Gates and approvals through the command, on a real engine, with real keys: the workflow of a release manager."""

import json
import subprocess
from pathlib import Path

import docker
import pytest

from tests.conftest import Ran
from tests.live.app import App, statuses

ANA, BEN = "ana@example.com", "ben@example.com"
GATES = "[{approval: {min: 2, from: [lead], exclude: [requester], expires: 1h, grade: signed}}]"
ROLES = f"approvers: signers\nrevoked_keys: revoked\nroles: {{lead: [{ANA}, {BEN}]}}\n"


@pytest.fixture
def keys(app: App) -> dict[str, Path]:
    """Make one key for each person. The approvers file has both, and prod waits for their signatures."""
    made = {}
    for who, kind in ((ANA, "ed25519"), (BEN, "ecdsa")):
        made[who] = app.cli.cwd / f"key-{kind}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", who, "-f", made[who]], check=True)
    signers = "".join(f'{who} namespaces="promoter-approval" {public(key)}\n' for who, key in made.items())
    (app.cli.cwd / "signers").write_text(signers)
    (app.cli.cwd / "revoked").write_text("")
    app.write(gates=GATES, secrets=ROLES)
    return made


def public(key: Path) -> str:
    return " ".join(Path(f"{key}.pub").read_text().split()[:2])


def approve(app: App, who: str, key: Path, *more: str) -> Ran:
    return app.cli("approve", "prod", "--yes", "--actor", who, "--key", str(key), *more)


def prod(ran: Ran) -> tuple[int, str, str]:
    last = ran.json["environments"][-1]
    return ran.exit_code, last["status"], last["reason_code"]


def test_two_signatures_let_the_same_bytes_in_once_and_anyone_can_check_them(app: App, keys: dict[str, Path]) -> None:
    waits = app.cli("run")
    assert waits.exit_code == 3
    assert "signed approval of 2 people from lead" in waits.text
    assert "next: promoter approve prod --key FILE" in waits.text
    wrong = approve(app, ANA, keys[BEN])
    assert (wrong.exit_code, "this signature would not count" in wrong.text) == (4, True)
    assert app.cli("approve", "prod", "--yes", "--actor", ANA).exit_code == 2  # no key is named
    assert approve(app, ANA, keys[ANA], "--comment", "seen on dev").exit_code == 0
    half = app.cli("explain", "prod", "--json").json
    assert (half["outcome"], half["gates"][0]["who"]) == ("waiting", [BEN])
    assert prod(app.cli("promote", "--json")) == (3, "pending", "approvals_missing")
    assert approve(app, BEN, keys[BEN]).exit_code == 0
    assert prod(app.cli("promote", "--json")) == (0, "deployed", "ok")
    votes = [fact for fact in app.facts() if fact["kind"] == "approved"]
    check_by_hand(app, votes[0])
    app.page("ready two")
    assert prod(app.cli("run", "--json"))[:2] == (3, "pending")


def check_by_hand(app: App, vote: dict[str, object]) -> None:
    """Check with ssh-keygen, and without any code of promoter."""
    envelope = vote["envelope"]
    assert isinstance(envelope, dict)
    (app.cli.cwd / "vote.sig").write_text(envelope["signature"])
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", ANA, "-n", "promoter-approval", "-s", "vote.sig"]
    subprocess.run(command, cwd=app.cli.cwd, input=envelope["statement"].encode(), check=True, capture_output=True)
    output = json.loads(envelope["statement"])["predicate"]
    assert (output["environment"], output["comment"], output["release"]) == ("prod", "seen on dev", vote["release"])


def test_a_key_revoked_later_and_a_veto_close_the_gate(app: App, keys: dict[str, Path]) -> None:
    release = app.cli("run", "--json").json["release"]["id"]
    for who, key in keys.items():
        approve(app, who, key)
    (app.cli.cwd / "revoked").write_text(public(keys[BEN]) + "\n")
    assert prod(app.cli("promote", "--json")) == (4, "refused", "key_revoked")
    (app.cli.cwd / "revoked").write_text("")
    assert app.cli("veto", release[:12], "--reason", "leaks memory", "--actor", BEN).exit_code == 0
    refused = app.cli("promote", "--json")
    assert prod(refused) == (4, "refused", "vetoed")
    assert f"leaks memory ({BEN}, " in refused.text
    assert app.engine.inspect(f"{app.name}-prod-web") is None


def test_a_container_that_was_replaced_by_hand_is_noticed(app: App, keys: dict[str, Path], engine_url: str) -> None:
    app.write(gates="[]")
    first = app.cli("run", "--json").json["release"]["id"]
    app.write(gates=GATES)
    app.page("ready two")
    app.cli("run")
    for who, key in keys.items():
        approve(app, who, key)
    serving = app.container("prod")
    app.engine.stop(serving.id, None)
    app.engine.rename(serving.id, f"{app.name}-prod-web-aside")
    client = docker.DockerClient(base_url=engine_url)
    other = client.containers.get(app.container("dev").id).image
    label = {"dev.promoter.pipeline": app.name}
    client.containers.run(other, detach=True, name=f"{app.name}-prod-web", labels=label)
    client.close()
    moved = app.cli("promote", "--json")
    assert prod(moved) == (4, "refused", "digest_moved"), moved.text
    assert f"promoter promote {first[:12]} --to prod" in moved.text


def test_the_newer_release_is_asked_for_and_the_older_is_superseded(app: App, keys: dict[str, Path]) -> None:
    old = app.cli("run", "--json").json["release"]["id"]
    app.page("ready two")
    new = app.cli("run", "--json")
    assert (new.exit_code, "superseded" in new.text) == (3, False), new.text
    closed = app.cli("promote", old[:12], "--to", "prod", "--json")
    assert prod(closed) == (4, "refused", "superseded"), closed.text
    late = app.cli("approve", "prod", old[:12], "--yes", "--actor", ANA, "--key", str(keys[ANA]))
    assert (late.exit_code, "superseded" in late.text) == (4, True)
    for who, key in keys.items():
        assert approve(app, who, key).exit_code == 0
    done = app.cli("promote", "--json")
    assert (done.exit_code, statuses(done)["prod"]) == (0, "deployed")
