"""`doctor` with real parts: each works, or has one fault."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from promoter.adapters.ledgers.postgres.store import PostgresLedger
from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.ledger.chain import head_of
from tests.adapters.ledgers.postgres_server import serving
from tests.conftest import Cli
from tests.live.app import App
from tests.live.locked import config, served
from tests.live.registry_proxy import Act, in_front_of, respond
from tests.repository import ENVIRONMENT
from tests.ui.cli.shop import FACTS, seed

FILE = """\
name: shop
registry: {registry}/doctor
services: {{web: {{image: web, build: .}}}}
environments:
  dev: {{}}
  prod:
    gates: [{{approval: {grade}}}]
{more}"""
Findings = dict[str, dict[str, Any]]


@pytest.fixture
def see(cli: Cli) -> Callable[..., Findings]:
    """Return the findings on a pipeline whose images are in `registry`, by part."""
    (cli.cwd / "Dockerfile").write_text("FROM scratch\n")
    cli.env |= {"DOCKER_CONFIG": str(cli.cwd), "GIT_CONFIG_GLOBAL": "/dev/null"}

    def diagnose(registry: str, *words: str, more: str = "", env: dict[str, str] | None = None) -> Findings:
        (cli.cwd / "pipeline.yaml").write_text(
            FILE.format(registry=registry, more=more, grade="{grade: signed}" if "approvers" in more else "{}")
        )
        ran = cli("doctor", "--json", *words, env=env)
        output = ran.json
        assert ran.exit_code == (0 if output["ok"] else 1), ran.text
        assert all(one["remedy"] for one in output["findings"] if not one["ok"]), ran.text
        return {one["part"]: one for one in output["findings"]}

    return diagnose


def sick(found: Findings) -> set[str]:
    return {part for part, one in found.items() if not one["ok"] and one["essential"]}


def test_all_is_well(see: Callable[..., Findings], engine_url: str, registry_host: str) -> None:
    found = see(registry_host)
    assert sick(found) == set()
    assert "API 1." in found["engine"]["detail"]
    rights = found[f"rights {registry_host}/doctor/web"]["detail"]
    assert rights == "pull and push allowed"
    assert found["clock"]["detail"] == f"agrees with engine, registry {registry_host} within 5 s"
    assert "signing key" not in found


def test_a_port_that_a_container_of_another_pipeline_has(app: App) -> None:
    assert app.cli("run", "--to", "dev").exit_code == 0
    file = app.cli.cwd / "pipeline.yaml"
    file.write_text(file.read_text().replace(f"name: {app.name}\n", "name: other\n"))
    (part,) = [one for one in app.cli("doctor", "--json").json["findings"] if one["part"] == "ports of dev"]
    assert part["detail"] == f"dev: port {app.ports['dev']} of service web is used by container {app.name}-dev-web"
    assert (part["ok"], part["essential"]) == (False, True)


def test_an_engine_that_is_down(see: Callable[..., Findings], registry_host: str) -> None:
    """The fixture `cli` sets an engine that does not exist."""
    found = see(registry_host)
    assert sick(found) == {"engine"}
    assert "does not answer" in found["engine"]["detail"]
    assert found["clock"]["detail"].startswith("agrees with registry")


def test_what_is_no_engine_and_one_that_is_too_old(see: Callable[..., Findings], registry_host: str) -> None:
    with in_front_of(registry_host) as proxy:
        proxy.misbehave(r"GET /_ping", respond(200, b"OK", Api_Version="1.30"))
        assert "too old: it speaks API 1.30" in see(registry_host, env={"DOCKER_HOST": f"tcp://{proxy.host}"})["engine"]["detail"]
        proxy.behave()
        proxy.misbehave(r"GET /_ping", respond(200, b"OK"))
        assert "is not a Docker engine" in see(registry_host, env={"DOCKER_HOST": f"tcp://{proxy.host}"})["engine"]["detail"]


def test_a_registry_with_a_password(
    see: Callable[..., Findings], cli: Cli, engine_url: str, program: str, free_port: Callable[[], int], tmp_path: Path
) -> None:
    with served(program, f"127.0.0.1:{free_port()}", tmp_path) as locked:
        part, ask = f"rights {locked.host}/doctor/web", f"credentials {locked.host}"
        without = see(locked.host)
        assert {f"registry {locked.host}", part} <= sick(without)
        assert without[ask]["detail"].startswith("no login saved")
        assert f"docker login {locked.host}" in without[part]["remedy"]
        config(cli.cwd, locked.host, "wrong")
        wrong = see(locked.host)
        assert "refuses the credentials" in wrong[part]["detail"]
        assert wrong[ask]["detail"] == f"ana, from {cli.cwd}/config.json"
        config(cli.cwd, locked.host)
        assert sick(see(locked.host)) == set()
        (cli.cwd / "config.json").write_text(json.dumps({"credHelpers": {locked.host: "vault"}}))
        assert "docker-credential-vault" in see(locked.host)[ask]["detail"]


def test_a_registry_that_may_only_be_read(see: Callable[..., Findings], engine_url: str, registry_host: str) -> None:
    with in_front_of(registry_host) as proxy:
        proxy.misbehave(r"POST /v2/", respond(403, b'{"errors": [{"code": "DENIED", "message": "read only"}]}'))
        found = see(proxy.host)
        assert sick(found) == {f"rights {proxy.host}/doctor/web"}
        assert f"wants credentials for push to {proxy.host}/doctor/web" in found[f"rights {proxy.host}/doctor/web"]["detail"]
        proxy.behave()
        proxy.misbehave(r"DELETE /v2/", respond(405))
        assert "the registry removes it later" in see(proxy.host)[f"rights {proxy.host}/doctor/web"]["detail"]


def test_nothing_is_left_in_the_registry(see: Callable[..., Findings], engine_url: str, registry_host: str) -> None:
    with in_front_of(registry_host) as proxy:
        see(proxy.host)
        sent = [line.split(" by ")[0] for line in proxy.seen if "doctor" in line]
    assert [line.split(" ")[0] for line in sent] == ["GET", "POST", "DELETE"]


def test_a_clock_that_is_off(see: Callable[..., Findings], engine_url: str, registry_host: str) -> None:
    with in_front_of(registry_host) as proxy:
        late = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
        proxy.misbehave(r"GET /v2/ ", _at(late))
        found = see(proxy.host)
    assert found["clock"]["detail"] == f"differs from registry {proxy.host} by 10 min (it is behind)"
    assert "NTP" in found["clock"]["remedy"]
    assert sick(found) == set()


def _at(date: str) -> Act:
    """Answer as the registry does, with another time."""

    def act(handler: Any) -> None:
        answer = handler.forward()
        answer.headers.pop("Date", None)
        handler.date_time_string = lambda: date
        handler.reply(answer)

    return act


# ------------------------------------------------------------ the signing key
def test_the_signing_key(see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str) -> None:
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", str(cli.cwd / name)], check=True)
    public = {name: " ".join((cli.cwd / f"{name}.pub").read_text().split()[:2]) for name in ("mine", "other")}
    (cli.cwd / "signers").write_text(f"ana@example.com {public['mine']}\nben@example.com {public['other']}\n")

    def output(actor: str, key: str | None) -> dict[str, Any]:
        env = {"PROMOTER_ACTOR": actor} | ({"PROMOTER_KEY": str(cli.cwd / key)} if key else {})
        return see(registry_host, more="approvers: signers\n", env=env)["signing key"]

    assert "of ana@example.com, who may approve prod" in output("ana@example.com", "mine")["detail"]
    assert "of ana@example.com, who may approve prod" in output("ana@example.com", "mine.pub")["detail"]
    assert "is the key of ben@example.com, and you are ana@example.com" in output("ana@example.com", "other")["detail"]
    assert output("ana@example.com", None)["detail"] == "none, but prod needs signed approvals"
    assert output("ana@example.com", "none")["detail"].endswith(" does not exist")
    assert "is not an SSH key" in output("ana@example.com", "pipeline.yaml")["detail"]
    (cli.cwd / "signers").write_text(f"ben@example.com {public['other']}\n")
    stranger = output("ana@example.com", "mine")
    assert (stranger["ok"], "is not in allowed_signers" in stranger["detail"]) == (False, True)
    assert "ana@example.com $(cut" in stranger["remedy"]


# ------------------------------------------------------------ the ledger
def test_a_used_ledger_and_its_witness_are_checked(
    see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str
) -> None:
    ledger = SqliteLedger(cli.cwd / ".promoter/ledger.db")
    seed(ledger)
    assert "a transaction was started and rolled back" in see(registry_host)["ledger"]["detail"]
    witness = FileWitness(cli.cwd / ".promoter", f"sqlite:{cli.cwd / '.promoter/ledger.db'}")
    witness.note(head_of(FACTS[-3]))
    assert see(registry_host)["witness"]["detail"].endswith(f"fact {len(FACTS)}, head {head_of(FACTS[-1]).digest}")
    (cli.cwd / ".promoter/ledger.db").unlink()
    lost = see(registry_host)
    assert sick(lost) == {"witness"}
    assert "the ledger ends earlier" in lost["witness"]["detail"]


def test_a_ledger_that_another_run_writes_is_no_fault(
    see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str
) -> None:
    ledger = SqliteLedger(cli.cwd / ".promoter/ledger.db")
    seed(ledger)
    with ledger._writing():
        found = see(registry_host)["ledger"]
    assert (found["ok"], "another run is writing to it" in found["detail"]) == (True, True)


def test_a_database_that_may_only_be_read(
    see: Callable[..., Findings], engine_url: str, registry_host: str, postgres_programs: Path, unique: str
) -> None:
    with serving(postgres_programs) as server:
        seed(PostgresLedger(server.url("postgres"), "shop"))
        assert "writable" in see(registry_host, "--ledger", server.url("postgres"))["ledger"]["detail"]
        server.ask(
            f"CREATE ROLE {unique} LOGIN PASSWORD 'x'",
            f"GRANT USAGE ON SCHEMA promoter TO {unique}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA promoter TO {unique}",
        )
        reader = server.url("postgres", unique).replace(f"{unique}@", f"{unique}:x@")
        found = see(registry_host, "--ledger", reader)
        assert sick(found) == {"ledger"}
        assert "may not be written by this user" in found["ledger"]["detail"]
        server.ask("ALTER DATABASE postgres SET default_transaction_read_only = on")
        assert "is read-only for this user" in see(registry_host, "--ledger", server.url("postgres"))["ledger"]["detail"]


def test_a_branch_that_may_not_be_pushed_to(see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str) -> None:
    """The server accepts no push: its receiving side is replaced by a program that refuses."""

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=cli.cwd, env=ENVIRONMENT, check=True, capture_output=True)

    git("init", "-q", "--bare", "remote.git")
    git("init", "-q", "-b", "main")
    git("remote", "add", "origin", str(cli.cwd / "remote.git"))
    git("commit", "-q", "--allow-empty", "-m", "a")
    assert "writable (an empty push was tried" in see(registry_host, "--ledger", "git:facts")["ledger"]["detail"]
    refuse = cli.cwd / "refuse"
    refuse.write_text("#!/bin/sh\necho 'ERROR: Write access to repository not granted.' >&2; exit 1\n")
    refuse.chmod(0o755)
    git("config", "remote.origin.receivepack", str(refuse))
    found = see(registry_host, "--ledger", "git:facts")
    assert sick(found) == {"ledger"}
    assert "may not be written to" in found["ledger"]["detail"]


# ------------------------------------------------------------ programs, ssh, CI
def test_a_machine_without_git_and_openssh(see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str) -> None:
    empty = cli.cwd / "bin"
    empty.mkdir()
    more = "ledger: 'git:facts@ssh://git@code.example.com/x.git'\n"
    found = see(registry_host, more=more, env={"PATH": str(empty)})
    assert (found["git"]["ok"], found["ssh-keygen"]["ok"]) == (False, False)
    assert "needs git" in found["ledger"]["detail"]


def test_hosts_that_are_reached_by_ssh(see: Callable[..., Findings], cli: Cli, registry_host: str) -> None:
    key = cli.cwd / "host"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (cli.cwd / "known").write_text(f"[127.0.0.9]:2 {key.with_suffix('.pub').read_text()}")
    wrapper = cli.cwd / "bin/ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F none -o UserKnownHostsFile={cli.cwd}/known "$@"\n')
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    more = "  a: {engine: 'ssh://127.0.0.9:2'}\n  b: {engine: 'ssh://u@127.0.0.8:2'}\n"
    found = see(registry_host, more=more, env={"PATH": path, "SSH_AUTH_SOCK": ""})
    assert found["ssh"]["detail"].startswith("OpenSSH")
    assert found["host key 127.0.0.9"]["ok"]
    assert not found["host key 127.0.0.8"]["ok"]
    assert "ssh -p 2 127.0.0.8" in found["host key 127.0.0.8"]["remedy"]
    assert found["ssh agent"]["detail"].startswith("no agent runs")
    assert {"engine ssh://127.0.0.9:2", "engine ssh://u@127.0.0.8:2"} <= sick(found)


def test_a_job_of_a_ci_platform(
    see: Callable[..., Findings], cli: Cli, engine_url: str, registry_host: str, tmp_path: Path
) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=cli.cwd, env=ENVIRONMENT, check=True, capture_output=True)

    git("init", "-q", "-b", "main", "whole")
    for number in "12":
        git("-C", "whole", "commit", "-q", "--allow-empty", "-m", number)
    git("clone", "-q", "--depth=1", f"file://{tmp_path}/whole", "shallow")
    (tmp_path / "shallow/.git").rename(tmp_path / ".git")
    job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "", "GH_TOKEN": ""}
    found = see(registry_host, env=job)
    assert [found[part]["ok"] for part in ("CI", "CI token", "CI checkout", "CI ledger")] == [True, False, False, False]
    assert "fetch-depth: 0" in found["CI checkout"]["remedy"]
    git("fetch", "-q", "--unshallow")
    found = see(registry_host, "--ledger", "git:facts", env=job | {"GITHUB_TOKEN": "x"})
    assert [found[part]["ok"] for part in ("CI", "CI token", "CI checkout", "CI ledger")] == [True] * 4
