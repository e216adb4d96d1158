"""Leases between real processes on the real engine: paused, contended, released."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from parts import processes

from tests.documents import value_at
from tests.live.app import PLAIN, SERVER, App, statuses
from tests.live.homes import KINDS, Home, made
from tests.terminal import Terminal

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
WAITS = '{{command: {{run: ["sh", "-c", "touch inside; until test -e go; do sleep 0.05; done"]}}}}'
RUNS = {"sqlite": 6, "postgres": 20, "git": 6}
"""The two others use six: twenty passed there too, and need two processor cores for a long time."""


def wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), "it ended before"


def run_out(app: App) -> None:
    """Let the lease expire: for all others, the paused run sent no heartbeat for its whole time to live."""
    with closing(sqlite3.connect(app.cli.cwd / ".promoter/ledger.db")) as raw:
        raw.execute("UPDATE leases SET expires = '2020-01-01T00:00:00.000000Z' WHERE owner IS NOT NULL")
        raw.commit()


@pytest.mark.parametrize("moment", ["before", "verify"])
def test_a_run_that_was_paused_and_replaced_touches_nothing_when_it_goes_on(app: App, moment: str) -> None:
    """No moment of this is a race: the run waits for a program when it is paused, and the test lets its lease expire."""
    app.pipeline = PLAIN.replace("{{port: {dev}}}", f"{{{{port: {{dev}}}}}}, {moment}: [{WAITS}]")
    app.write()
    inside, go = app.cli.cwd / "inside", app.cli.cwd / "go"
    go.touch()
    first = app.cli("run")
    assert first.exit_code == 0, first.text
    inside.unlink()
    go.unlink()
    app.page("ready two")
    paused = app.cli.start("run", "--json", env={"PROMOTER_LEASE_TTL": "1h"})
    assert processes.until(inside.exists, 60)
    paused.send_signal(signal.SIGSTOP)
    go.touch()
    try:
        held = app.cli("locks", "--json").json["locks"]
        assert [(lock["environment"], lock["stale"]) for lock in held] == [("dev", False)]
        refused = app.cli("run", "--to", "dev", "--json")
        assert (refused.exit_code, refused.json["reason_code"]) == (5, "lock_held")
        run_out(app)
        assert app.cli("locks", "--json").json["locks"][0]["stale"] is True
        other = app.cli("run", "--to", "dev", "--json", "--wait-lock", "20s")
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
    assert "process" in str(value_at(started, "lease", "took_over"))


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_releases_the_environment(app: App, sign: signal.Signals) -> None:
    app.cli("run")
    app.page("ready two")
    process = app.cli.start("run", "--json", "-v")
    wait_for(process, "dev: replace")
    process.send_signal(sign)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stdout + stderr
    assert app.cli("locks", "--json").json["locks"] == []
    ran = app.cli("run", "--json")
    assert (ran.exit_code, statuses(ran)) == (0, {"dev": "deployed", "prod": "deployed"}), ran.text


@pytest.fixture(params=KINDS)
def shared(app: App, request: pytest.FixtureRequest) -> Home:
    """One pipeline of many environments, each with a directory of the same name, and a release in the ledger."""
    names = tuple(f"e{number}" for number in range(RUNS[request.param]))
    image = app.cli("build", "--json").json["release"]["images"]["web"]
    text = MANY.format(name=app.name, image=f"{image['repository']}@{image['digest']}")
    home = made(request.param, app.cli.cwd, names, lambda: request.getfixturevalue("server").url("postgres"))
    for directory in home.directories:
        (directory / "pipeline.yaml").write_text(text + "".join(f"  {name}: {{needs: []}}\n" for name in names))
    assert app.cli("build", "--ledger", home.ledger, cwd=home.directories[0]).exit_code == 0
    return home


@pytest.mark.slow
def test_many_runs_for_as_many_environments_do_not_block_one_another(app: App, shared: Home) -> None:
    names = [directory.name for directory in shared.directories]
    common = ("--ledger", shared.ledger, "--json")
    runs = {
        directory: app.cli.start("promote", "--to", directory.name, *common, cwd=directory) for directory in shared.directories
    }
    for directory, run in runs.items():
        stdout, stderr = run.communicate(timeout=240)
        assert run.returncode == 0, (directory.name, stdout, stderr)
    assert app.all() == {f"{name}-web": "running" for name in names}
    facts = app.cli("history", *common, cwd=shared.directories[0]).json
    assert sorted(fact["environment"] for fact in facts if fact["kind"] == "promoted") == sorted(names)
    assert app.cli("ledger", "verify", *common, cwd=shared.directories[0]).exit_code == 0


def test_two_runs_for_one_environment_promote_once(app: App, shared: Home) -> None:
    common = ("--to", "e0", "--ledger", shared.ledger, "--json")
    runs = [app.cli.start("promote", "--wait-lock", "60s", *common, cwd=directory) for directory in shared.directories[:3]]
    ended = [(run.communicate(timeout=120), run.returncode) for run in runs]
    assert [code for _, code in ended] == [0, 0, 0], ended
    found = sorted(json.loads(output[0])["environments"][0]["status"] for output, _ in ended)
    assert found == ["deployed", "unchanged", "unchanged"]
    facts = app.cli("history", "--ledger", shared.ledger, "--json", cwd=shared.directories[0]).json
    assert [fact["kind"] for fact in facts if fact["kind"] in ("started", "promoted")] == ["started", "promoted"]
    assert app.all() == {"e0-web": "running"}


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_closed_terminal_undoes_the_unfinished_change(app: App, term: str) -> None:
    """Its window, or the ssh connection, is closed: the change is undone although there is nothing to write to."""
    app.cli("run")
    old = app.container("dev")
    app.dockerfile(
        SERVER.replace("--interval=3s --retries=2", "--interval=1s --retries=600").replace("http://127", "http://0.0.0.0:1/127")
    )
    env = {name: value for name, value in app.cli.env.items() if name != "NO_COLOR"} | {"TERM": term}
    with Terminal([str(Path(sys.executable).with_name("promoter")), "run", "-v"], app.cli.cwd, env) as terminal:
        terminal.expect("dev: replace")
        assert terminal.hang_up() == 130
    assert (app.container("dev").id, app.container("dev").running) == (old.id, True)
    assert app.facts()[-1]["reason_code"] == "interrupted"
    assert app.cli("locks", "--json").json["locks"] == []
