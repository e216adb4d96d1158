"""On GitHub, with the real engine: what the log of a step sends to the runner, and that no output of a container is a command."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.live.app import SERVER, App
from tests.runner import Runner, assignments

SERVE = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]'
HOSTILE = (
    "::set-output name=digest::sha256:0",
    "::add-mask::web",
    "##[error]not ours",
    "##[add-mask]ready",
    "  ::error file=pipeline.yaml,line=1::not ours",
    "::stop-commands::x",
    "::x::",
    "::endgroup::",
    "##[endgroup]",
    "::group::not ours",
    "#\u00ad#[warning]not ours",
    "::save-state name=a::b",
)
OURS = {"group", "endgroup", "error", "warning", "notice", "add-mask"}


@dataclass
class Step:
    """One step of a workflow: the files that the runner passes to it, and its result."""

    app: App
    outputs: Path
    summary: Path

    def run(self, *argv: str, **env: str) -> tuple[Ran, Runner]:
        output = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.outputs),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.app.cli.cwd),
            **env,
        }
        ran = self.app.cli(*argv, env=output)
        runner = Runner().feed(ran.stderr, ran.stdout)
        assert {command.name for command in runner.commands} <= OURS, ran.text
        assert (runner.group, runner.token) == (None, None), ran.text
        assert not [one for one in runner.commands if "not ours" in one.data and one.name in ("group", "warning")]
        return ran, runner


@pytest.fixture
def step(app: App, tmp_path_factory: pytest.TempPathFactory) -> Step:
    files = tmp_path_factory.mktemp("step")
    for name in ("outputs", "summary"):
        (files / name).touch()
    return Step(app, files / "outputs", files / "summary")


def hostile(app: App) -> None:
    """Use an image whose container writes commands to the runner and ends."""
    (app.cli.cwd / "www" / "says").write_text("".join(f"{line}\n" for line in HOSTILE))
    app.dockerfile(SERVER.replace(SERVE, 'CMD ["sh", "-c", "cat /www/says; exit 3"]'))


def test_a_run_that_waits_is_groups_a_notice_outputs_and_a_summary(step: Step) -> None:
    step.app.write(gates="[{approval: {min: 1}}]")
    ran, runner = step.run("run", "--json")
    release, digest = ran.json["release"]["id"], ran.json["release"]["images"]["web"]["digest"]
    assert list(runner.groups) == ["build web", f"dev: promotion of {release[:12]}", "prod: gates"]
    assert any("Successfully built" in line for line in runner.groups["build web"])
    (notice,) = runner.annotations
    position = {name: notice.properties[name] for name in ("file", "line", "col", "endColumn")}
    assert (notice.name, position) == ("notice", {"file": "pipeline.yaml", "line": "18", "col": "3", "endColumn": "7"})
    assert notice.data.splitlines()[-1] == "next: promoter approve prod"
    outputs = assignments(step.outputs)
    assert json.loads(outputs.pop("result")) == ran.json
    assert json.loads(outputs.pop("images")).keys() == {"web"}
    assert outputs == {
        "status": "pending",
        "reason-code": "approvals_missing",
        "release": release,
        "digest": digest,
        "previous": "",
        "plan-digest": ran.json["environments"][1]["plan_digest"],
        "url": "",
    }
    summary = step.summary.read_text()
    assert '  e0["dev<br>deployed"]\n  e1["prod<br>pending"]\n  e0 --> e1' in summary
    assert "| prod | approval of 1 person | ⏳ waits | 0 of 1 approvals; may approve&#58; anyone | - |" in summary
    assert "<pre>\npromoter approve prod\n</pre>" in summary


def test_whatever_a_container_writes_no_command_of_it_reaches_the_runner(step: Step) -> None:
    app = step.app
    good = app.cli("run", "--json").json["release"]["id"]
    hostile(app)
    ran, runner = step.run("run")
    assert ran.exit_code == 6, ran.text
    assert {command.name for command in runner.commands} == {"group", "endgroup", "error"}
    (error,) = runner.annotations
    assert (error.properties["line"], error.properties["title"]) == ("10", "dev: rolled back (start_failed)")
    assert f"dev serves the earlier release {good[:12]} again" in error.data
    assert len(runner.tokens) == len(set(runner.tokens)) > 3
    assert any("log: ::set-output name=digest::sha256:0" in line for line in runner.fenced)
    outputs = assignments(step.outputs)
    assert (outputs["status"], outputs["previous"]) == ("rolled_back", good)
    assert outputs["digest"] != "sha256:0"
    assert "log: ##[error]not ours" in step.summary.read_text()
    _, runner = step.run("logs", outputs["release"])
    assert runner.commands == []
    assert any("::add-mask::web" in line for line in runner.fenced)
    ran, runner = step.run("logs", outputs["release"], "--json")
    assert runner.commands == [] and "##[error]not ours" in ran.json[-1]["text"]


def test_workflow_commands_in_build_output_are_disabled_and_the_failure_is_reported(step: Step) -> None:
    app = step.app
    (app.cli.cwd / "www" / "says").write_text("".join(f"{line}\n" for line in HOSTILE))
    run = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox cat /www/says; exit 9"]'
    app.dockerfile(SERVER.replace("HEALTHCHECK", f"{run}\nHEALTHCHECK"))
    ran, runner = step.run("run")
    assert ran.exit_code == 1, ran.text
    assert {command.name for command in runner.commands} == {"group", "endgroup", "error"}
    assert any("web | ::stop-commands::x" in line for line in runner.groups["build web"])
    outputs = assignments(step.outputs)
    assert (outputs["status"], outputs["reason-code"]) == ("failed", "build_failed")
    assert step.summary.read_text().startswith("## ❌ promoter run: failed\n")


def test_secrets_are_masked_before_any_other_output_and_digests_never(step: Step) -> None:
    step.app.write(secrets="secrets: {TOKEN: {env: T}}\n", secret_use=", TOKEN: \"{{ secret('TOKEN') }}\"")
    _, runner = step.run("run", T="hunter2 50%\nsecond line\n}\n")
    assert runner.masks == ["hunter2 50%", "second line"]
    assert [command.name for command in runner.commands][:3] == ["add-mask", "add-mask", "group"]
    ran, runner = step.run("run", "--quiet", T="hunter3")
    assert (runner.masks, [command.name for command in runner.commands]) == (["hunter3"], ["add-mask"]), ran.text


def test_files_that_cannot_be_written_are_a_warning_and_no_more(step: Step) -> None:
    nowhere = str(step.app.cli.cwd / "no" / "such" / "place")
    ran, runner = step.run("run", "--quiet", GITHUB_STEP_SUMMARY=nowhere, GITHUB_OUTPUT=nowhere, PROMOTER_JUNIT="/dev/null/x")
    assert (ran.exit_code, ran.stdout) == (0, ""), ran.text
    whats = sorted(command.data.partition(" cannot be written")[0] for command in runner.named("warning"))
    assert whats == ["the JUnit report", "the outputs", "the step summary"]


def test_all_of_it_can_be_switched_off(step: Step) -> None:
    step.app.write(gates="[{approval: {min: 1}}]")
    _, runner = step.run("run", PROMOTER_SUMMARY="false", PROMOTER_ANNOTATIONS="no")
    assert (runner.annotations, step.summary.read_text()) == ([], "")
    ran, runner = step.run("promote", "-v", PROMOTER_CI="none")
    assert runner.commands == [] and "prod: gate approval of 1 person: waits" in ran.stderr, ran.text
    assert step.summary.read_text() == ""
