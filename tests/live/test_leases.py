"""Leases between real processes on the real engine: paused, raced for, let go."""

import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.live.app import App, statuses

MANY = """\
name: {name}
services:
  web:
    image: {image}
    command: ["sleep", "1000"]
    stop_grace_period: 1s
    healthcheck: {{disable: true}}
    steady: 100ms
environments:
"""


def wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), "it ended before"


@pytest.mark.parametrize("moment", ["dev: replace", "dev: verify"])
def test_a_run_that_was_paused_and_replaced_touches_nothing_when_it_goes_on(app: App, moment: str) -> None:
    app.cli("run")
    app.page("ready two")
    short = {"PROMOTER_LEASE_TTL": "3s"}
    paused = app.cli.start("run", "--json", env=short)
    wait_for(paused, moment)
    paused.send_signal(signal.SIGSTOP)
    try:
        held = app.cli("locks", "--json").json["locks"]
        assert [(lock["environment"], lock["stale"]) for lock in held] == [("dev", False)]
        refused = app.cli("run", "--to", "dev", "--json", env=short)
        assert (refused.exit_code, refused.json["reason_code"]) == (5, "lock_held")
        other = app.cli("run", "--to", "dev", "--json", "--wait-lock", "20s", env=short)
        assert (other.exit_code, statuses(other)["dev"]) == (0, "deployed"), other.text
    finally:
        paused.send_signal(signal.SIGCONT)
    there, facts = app.all(), app.facts()
    stdout, stderr = paused.communicate(timeout=60)
    assert paused.returncode == 5, stdout + stderr
    assert "lost its hold" in stdout + stderr or "another run" in stdout + stderr
    assert (app.all(), app.facts()) == (there, facts)
    assert there == {"dev-web": "running", "dev-web-previous": "exited", "prod-web": "running"}
    started = [fact for fact in facts if fact["kind"] == "started" and fact["environment"] == "dev"][-1]
    assert "process" in str(started["lease"]["took_over"])  # type: ignore[index]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_environment_go(app: App, sign: signal.Signals) -> None:
    app.cli("run")
    app.page("ready two")
    process = app.cli.start("run", "--json")
    wait_for(process, "dev: replace")
    process.send_signal(sign)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stdout + stderr
    assert app.cli("locks", "--json").json["locks"] == []
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "deployed", "prod": "deployed"}), ran.text


def test_twenty_runs_for_twenty_environments_do_not_hinder_one_another(app: App, free_port: Callable[[], int]) -> None:
    made = app.cli("build", "--json").json["release"]["images"]["web"]
    names = [f"e{number}" for number in range(20)]
    text = MANY.format(name=app.name, image=f"{made['repository']}@{made['digest']}")
    (app.cli.cwd / "many.yaml").write_text(text + "".join(f"  {name}: {{needs: []}}\n" for name in names))
    common = ("-f", "many.yaml", "--ledger", "sqlite:many.db")
    assert app.cli("build", *common).exit_code == 0
    runs = {name: app.cli.start("promote", "--to", name, *common, "--json") for name in names}
    for name, run in runs.items():
        stdout, stderr = run.communicate(timeout=120)
        assert run.returncode == 0, (name, stdout, stderr)
    assert app.all() == {f"{name}-web": "running" for name in names}
    facts = app.cli("history", *common, "--json").json
    assert sorted(fact["environment"] for fact in facts if fact["kind"] == "promoted") == sorted(names)
    assert app.cli("ledger", "verify", *common).exit_code == 0
