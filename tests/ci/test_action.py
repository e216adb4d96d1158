"""The action's own steps without an engine: what they refuse, how they install, and when they succeed or fail."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.job import Job, Process, Step
from tests.conftest import ROOT
from tests.runner import Runner

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PIPELINE = "name: shop\nservices: {web: {image: web@sha256:" + "a" * 64 + "}}\nenvironments: {dev: {}, prod: {}}\n"
DIGEST = f"sha256:{'d' * 64}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    (made / "pipeline.yaml").write_text(PIPELINE)
    return made


@dataclass
class Used(Step):
    """The result of an action: what the runner understood, and the names of the parts that were not skipped."""

    runner: Runner = field(default_factory=Runner)
    ran: list[str] = field(default_factory=list)


@pytest.fixture
def use(workspace: Path, job: Callable[..., Job]) -> Callable[..., Used]:
    """Run the whole action once, in a new job."""

    def used(**given: str) -> Used:
        one = job(workspace)
        step = one.action(ROOT, {name.replace("_", "-"): value for name, value in given.items()})
        return Used(**vars(step), runner=one.runner, ran=[part.name for part in one.ran if part.outcome != "skipped"])

    return used


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"command": "deploy"},
            "command: 'deploy' is not one of run, promote, plan, build, validate, rollback, status and explain",
        ),
        ({"command": "run; touch pwned"}, "is not one of"),
        ({"command": ""}, "command: '' is not one of"),
        ({"command": "a%0A::error::b"}, "command: 'a%0A::error::b' is not one of"),
        ({"on_pending": "ignore"}, "on-pending: 'ignore' is not one of succeed and fail"),
        ({"summary": "yes"}, "summary: 'yes' is not one of true and false"),
        ({"annotations": "True"}, "annotations: 'True'"),
        ({"deployments": "1"}, "deployments: '1'"),
        ({"environment": 'prod"; touch pwned'}, "is not the name of an environment"),
        ({"environment": "--help"}, "is not the name of an environment"),
        ({"environment": "prod\n::error::pwned"}, "environment: contains a line break"),
        ({"command": "promote", "release": "$(touch pwned)"}, "is not a release"),
        ({"command": "promote", "release": "-f"}, "is not a release"),
        ({"pipeline": "pipeline.yaml\r::set-output name=digest::pwned"}, "pipeline: contains a line break"),
        ({"pipeline": ""}, "pipeline: is empty"),
        ({"actor": "ana\x1b[2J"}, "actor: contains a line break or a control character"),
        ({"ledger": "git:x\n"}, "ledger: contains a line break"),
        ({"wait_lock": "soon"}, "wait-lock: 'soon' is not a duration"),
        ({"command": "rollback"}, "environment: the command rollback requires it"),
        ({"command": "build", "environment": "dev"}, "the command build does not use it"),
        ({"command": "run", "release": "abc"}, "the command run does not use it"),
        ({"command": "run", "reason": "because"}, "reason: the command run does not use it; remove it"),
        ({"command": "plan", "reviews": "true"}, "reviews: the command plan does not use it"),
        ({"command": "promote", "reviews": "true"}, "write the environment whose reviews are imported"),
        ({"command": "promote", "reviews": "true", "environment": "prod"}, "reviews: requires github-token"),
        ({"deployments": "true"}, "deployments: requires github-token"),
        ({"working_directory": "elsewhere"}, "there is no directory 'elsewhere'"),
        ({"working_directory": "-P"}, "there is no directory '-P'"),
        ({"environment": "a%0Ab"}, "is not the name of an environment"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(use, workspace, given, message):
    before = sorted(workspace.rglob("*"))
    step = use(**given)
    assert (step.outcome, step.outputs["status"], step.ran) == ("failure", "failed", ["Check the inputs"]), step.log
    [error] = step.runner.commands
    assert (error.name, error.properties["title"]) == ("error", "promoter") and message in error.data
    assert sorted(workspace.rglob("*")) == before


def test_hostile_words_that_are_only_words_stay_words(use, workspace):
    name = "$(touch pwned)`touch pwned`;\"'|& .yaml"
    (workspace / name).write_text(PIPELINE)
    step = use(command="validate", pipeline=name, actor="x$(touch pwned);\"'", ledger="git:x$(touch pwned)")
    assert (step.outcome, step.outputs["status"]) == ("success", "complete"), step.log
    missing = use(command="validate", pipeline="::error::pwned ##[error]pwned %0A::error::pwned")
    assert missing.outcome == "failure", missing.log
    assert not [command for command in missing.runner.commands if command.data == "pwned"], missing.runner.commands
    assert not list(workspace.rglob("pwned"))


def test_a_step_after_the_check_gets_every_input_by_environment_and_none_by_template():
    steps = ACTION["runs"]["steps"]
    assert [step["name"] for step in steps if "${{" in step.get("run", "")] == []
    given = [{name: value for name, value in step["env"].items() if name.startswith("IN_")} for step in (steps[0], steps[-1])]
    everything = {variable(name): f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    assert given == [everything, {name: value for name, value in everything.items() if name != "IN_PYTHON"}]


def variable(name: str) -> str:
    """Return the environment variable of an input of a step."""
    return f"IN_{name.removeprefix('github-').replace('-', '_').upper()}"


def test_invalid_files_are_reported_with_their_position_and_leave_a_record(use, workspace, tmp_path):
    (workspace / "pipeline.yaml").write_text(PIPELINE + "gates: []\n")
    step = use(command="validate", evidence=str(tmp_path / "record"))
    assert (step.outcome, step.code, step.outputs["status"]) == ("failure", 2, "failed"), step.log
    assert json.loads(step.outputs["result"])["error"]["complaints"][0]["line"] == 4
    assert any(error.properties.get("line") == "4" for error in step.runner.named("error")), step.runner.commands
    record = tmp_path / "record"
    assert json.loads((record / "result.json").read_text())["decision"] == "failed"
    assert (record / "summary.md").read_text() == step.summary
    assert not (record / "ledger.jsonl").exists() and step.runner.named("warning")


# ------------------------------------------------------------ installing


def without_network() -> tuple[str, ...]:
    """Return an empty network namespace, if the machine permits one."""
    alone = ("unshare", "--net", "--map-root-user")
    works = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    return alone if works else ()


@pytest.mark.slow
def test_a_directory_of_wheels_is_all_that_a_runner_without_internet_needs(job, workspace, wheelhouse, tmp_path):
    nowhere = {
        "PIP_NO_INDEX": "0",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_FIND_LINKS": "",
        "RUNNER_TOOL_CACHE": str(tmp_path / "tools"),
    }
    one = job(workspace, env=nowhere)
    (tmp_path / "tools").mkdir()
    one.before = without_network()
    given = {"command": "validate", "wheel": str(wheelhouse)}
    first = one.action(ROOT, given)
    assert (first.outcome, first.outputs["status"]) == ("success", "complete"), first.log
    ran = [part.name for part in one.ran if part.outcome != "skipped"]
    assert "Get Python" not in ran and "Cache the wheels" not in ran and "Install promoter's dependencies" in ran
    installed = next((tmp_path / "tools/promoter").glob("*/lib/python*/site-packages/promoter"))
    assert (installed / "__init__.py").read_text() == (ROOT / "promoter/__init__.py").read_text()

    one.ran.clear()
    [own] = wheelhouse.glob("promoter-*.whl")
    assert one.action(ROOT, given | {"wheel": str(own)}).outcome == "success"
    assert "Install promoter's dependencies" not in [part.name for part in one.ran if part.outcome != "skipped"]


@pytest.mark.parametrize("spoil", ["another", "forged", "nothing"])
def test_wheels_that_are_not_the_pinned_ones_are_refused(job, workspace, wheelhouse, tmp_path, spoil):
    given = tmp_path / "wheels"
    shutil.copytree(wheelhouse, given, copy_function=os.link)
    [own] = given.glob("promoter-*.whl")
    [other] = given.glob("typer-*.whl")
    match spoil:
        case "another":
            own.rename(given / "promoter-99.0.0-py3-none-any.whl")
            output = "promoter-99.0.0-py3-none-any.whl is not promoter"
        case "forged":
            forged = other.read_bytes() + b"\0"
            other.unlink()
            other.write_bytes(forged)
            output = "make wheelhouse"
        case _:
            given, output = tmp_path / "none", "there is no"
    (tmp_path / "tools").mkdir()
    one = job(workspace, env={"RUNNER_TOOL_CACHE": str(tmp_path / "tools")})
    step = one.action(ROOT, {"command": "validate", "wheel": str(given)})
    assert step.outcome == "failure", step.log
    assert any(output in error.data for error in one.runner.named("error")), step.log
    assert list((tmp_path / "tools").rglob("ready")) == []


def test_python_is_the_runners_own_the_named_one_or_fetched(job, workspace, tmp_path):
    old = tmp_path / "bin/python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    asked = []

    def setup(_: Job, given: Any) -> dict[str, str]:
        asked.append(given)
        return {"python-path": shutil.which("python3") or ""}

    one = job(workspace, env={"PATH": f"{old.parent}{os.pathsep}{os.environ['PATH']}"})
    one.others = {**one.others, "actions/setup-python": setup}
    assert one.action(ROOT, {"command": "validate"}).outcome == "success", one.log
    assert [given["update-environment"] for given in asked] == ["false"]
    named = one.action(ROOT, {"command": "validate", "python": str(old)})
    assert (named.outcome, len(asked)) == ("failure", 1)
    offline = one.action(ROOT, {"command": "validate", "wheel": str(workspace)})
    assert (offline.outcome, len(asked)) == ("failure", 1)
    assert ["Python 3.11" in error.data or "older than 3.11" in error.data for error in one.runner.named("error")] == [True, True]


# ------------------------------------------------------------ success and failure


@pytest.fixture
def last(job, workspace, tmp_path) -> Callable[..., tuple[Step, Job]]:
    """Return a function that runs the last step with a program instead of Python. It may do what a correct promoter does not."""

    def run(program: str, meanwhile: Callable[[Process], None] = lambda _: None, **given: str) -> tuple[Step, Job]:
        python = tmp_path / "python"
        python.write_text(program)
        python.chmod(0o755)
        one = job(workspace)
        inputs = {name: str(spec.get("default", "")) for name, spec in ACTION["inputs"].items()} | given
        env = {variable(name): value for name, value in inputs.items()}
        script = ACTION["runs"]["steps"][-1]["run"]
        return one.run("promoter", script, {**env, "PYTHON": str(python), "GITHUB_ACTION_PATH": str(ROOT)}, meanwhile), one

    return run


@pytest.fixture
def ended(last, tmp_path) -> Callable[..., tuple[Step, Job]]:
    """Return a function that runs the last step with a command that writes these outputs and exits with a code."""

    def end(code: int, outputs: dict[str, str], **given: str) -> tuple[Step, Job]:
        (tmp_path / "outputs").write_text("".join(f"{name}<<x7\n{value}\nx7\n" for name, value in outputs.items()))
        append_outputs = f'[ "$PROMOTER_CI" = none ] || cat {tmp_path}/outputs >>"$GITHUB_OUTPUT"'
        return last(f"#!/bin/sh\n{append_outputs}\nexit {code}\n", **given)

    return end


@pytest.mark.parametrize(
    ("command", "code", "status", "digest", "on_pending", "color"),
    [
        ("run", 0, "complete", DIGEST, "succeed", 0),
        ("run", 0, "complete", "", "succeed", 1),
        ("promote", 0, "complete", "sha256:", "succeed", 1),
        ("build", 0, "complete", "", "succeed", 1),
        ("plan", 0, "complete", "", "succeed", 0),
        ("run", 3, "pending", DIGEST, "succeed", 0),
        ("run", 3, "pending", DIGEST, "fail", 3),
        ("run", 3, "pending", "", "succeed", 1),
        ("run", 1, "failed", DIGEST, "succeed", 1),
        ("run", 2, "failed", "", "succeed", 2),
        ("run", 4, "refused", DIGEST, "succeed", 4),
        ("run", 5, "locked", DIGEST, "succeed", 5),
        ("run", 6, "rolled_back", DIGEST, "succeed", 6),
        ("run", 130, "failed", DIGEST, "succeed", 130),
    ],
)
def test_green_is_the_wanted_state_or_an_honest_wait_and_never_without_a_digest(
    ended, command, code, status, digest, on_pending, color
):
    output = {"status": status, "digest": digest, "reason-code": "soaking", "result": "{}"}
    step, one = ended(code, output, **{"command": command, "on-pending": on_pending})
    assert step.code == color, step.log
    assert step.outputs["status"] == ("failed" if color == 1 else status)
    assert bool(one.runner.named("error")) == (color != 0 and code in {0, 3})  # promoter itself has reported the others
    assert bool(one.runner.named("notice")) == (code == 3 and color == 0)


@pytest.mark.parametrize(("code", "status"), [(1, "failed"), (4, "refused"), (5, "locked"), (137, "failed")])
def test_a_command_without_output_has_a_status_and_a_result(ended, code, status):
    step, _ = ended(code, {})
    assert (step.code, step.outputs["status"], json.loads(step.outputs["result"])["decision"]) == (code, status, status)


def test_the_arguments_are_the_inputs_each_in_one_word(last, tmp_path):
    received = tmp_path / "heard"
    program = f"#!/bin/sh\nshift 4\nprintf '%s\\n' \"$@\" >{received}\nenv >>{received}\nexit 1\n"
    cases = {
        ("run", "environment=prod", "wait-lock=10m"): ["run", "--file=pipeline.yaml", "--to=prod", "--wait-lock=10m"],
        ("promote", "environment=prod", "release=3f2a", "reviews=true", "github-token=t0ken"): [
            "promote",
            "--file=pipeline.yaml",
            "--to=prod",
            "--reviews",
            "3f2a",
        ],
        ("rollback", "environment=prod", "release=3f2a", "reason=orders fail"): [
            "rollback",
            "--file=pipeline.yaml",
            "--to=3f2a",
            "--reason=orders fail",
            "prod",
        ],
        ("plan", "release=3f2a", "deployments=true", "ledger=git:x", "actor=ana"): ["plan", "--file=pipeline.yaml", "3f2a"],
    }
    for (command, *given), argv in cases.items():
        step, _ = last(program, command=command, **dict(pair.split("=", 1) for pair in given))
        lines = received.read_text().splitlines()
        assert lines[: len(argv)] == argv, step.log
        assert [line for line in lines if line.startswith("IN_")] == []
        assert {"PROMOTER_SUMMARY=true", "PROMOTER_ANNOTATIONS=true"} <= set(lines)
        for word, output in (
            ("github-token=t0ken", "GITHUB_TOKEN=t0ken"),
            ("deployments=true", "PROMOTER_DEPLOYMENTS=true"),
            ("ledger=git:x", "PROMOTER_LEDGER=git:x"),
            ("actor=ana", "PROMOTER_ACTOR=ana"),
        ):
            assert (output in lines) == (word in given)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_asks_once_and_waits_for_the_cleanup(last, tmp_path, number):
    program = """#!/bin/sh
    trap 'echo asked >>asked; until test -e go; do sleep 0.05; done; exit 130' TERM
    touch ready; for _ in $(seq 900); do sleep 0.05; done
    """

    def cancel(process: Process) -> None:
        until((tmp_path / "workspace/ready").exists)
        process.send_signal(number)
        until((tmp_path / "workspace/asked").exists)
        process.send_signal(signal.SIGTERM)
        (tmp_path / "workspace/go").touch()

    step, _ = last(program, cancel)
    assert (step.code, step.outputs["status"]) == (130, "failed"), step.log
    assert (tmp_path / "workspace/asked").read_text() == "asked\n"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
