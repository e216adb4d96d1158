"""The CI files that a reader copies are executed: workflows by the emulated runner, the others by their own shells."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adapters.platforms.forge_server import REPOSITORY, RUN, TOKEN, forge_server
from tests.ci.component import component
from tests.ci.expressions import fill, holds
from tests.ci.job import Job
from tests.conftest import ROOT
from tests.live.project import Project

CI = ROOT / "pipelines/ci"
RESUME, ENVIRONMENTS, CALLED = CI / "github-resume.yml", CI / "github-environments.yml", ROOT / ".github/workflows/promote.yml"


def on_github(project: Project, machine: str) -> Job:
    """Return a job with a docker command that only records its arguments and input: there is no login to ghcr.io here."""
    job = project.on(machine)
    programs = Path(job.env["HOME"]) / "programs"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text('#!/bin/sh\necho "$@" >>"$HOME/words"\ncase $1 in login) cat >>"$HOME/input" ;; esac\n')
    docker.chmod(0o755)
    job.env["PATH"] = f"{programs}:{job.env['PATH']}"
    job.others = {**job.others, "actions/checkout": checked_out, "actions/upload-artifact": uploaded}
    job.contexts = job.contexts | {"github": {"token": "t0ken", "actor": "dev@example.com", "run_id": "7"}}
    return job


def checked_out(_: Job, given: Mapping[str, str]) -> Mapping[str, str]:
    """Do nothing except check the inputs: the project has already made this checkout."""
    assert (given["fetch-depth"], given["persist-credentials"]) == ("0", "true")
    return {}


def uploaded(_: Job, given: Mapping[str, str]) -> Mapping[str, str]:
    assert {file.name for file in Path(given["path"]).iterdir()} == {"result.json", "ledger.jsonl", "summary.md"}
    return {}


def test_on_github_a_called_workflow_waits_and_an_event_continues_its_release(project: Project) -> None:
    called = yaml.safe_load(CALLED.read_text())[True]["workflow_call"]["inputs"]
    inputs = {name: spec["default"] for name, spec in called.items()} | {"registry": "ghcr.io", "evidence": "record"}
    secrets = {"variables": "TOKEN=s3cr3t%of all\nOTHER=x\n", "registry-password": ""}
    first = on_github(project, "one")
    run = first.workflow(CALLED, "promote", {"inputs": inputs, "secrets": secrets})
    assert (run.outcome, run.outputs["status"]) == ("success", "pending"), first.log
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", run.outputs["digest"])
    assert first.runner.masks == ["s3cr3t%of all", "x"] and first.env["TOKEN"] == "s3cr3t%of all"
    home = Path(first.env["HOME"])
    assert (home / "words").read_text().splitlines()[0] == "login --username dev@example.com --password-stdin -- ghcr.io"
    assert (home / "input").read_text() == "t0ken" and "logout" in (home / "words").read_text()

    project.approve()
    second = on_github(project, "two")
    payload = {"environment": "prod", "release": run.outputs["release"]}
    event = {"event_name": "repository_dispatch", "token": "t0ken", "event": {"client_payload": payload}}
    resumed = second.workflow(RESUME, "promote", {"github": event, "inputs": {}})
    assert resumed.outcome == "success", second.log
    assert project.lives_in("prod") == run.outputs["release"]


def test_the_workflows_token_is_never_sent_to_another_registry() -> None:
    steps = yaml.safe_load(CALLED.read_text())["jobs"]["promote"]["steps"]
    output = next(step for step in steps if step["name"] == "Log in to the registry")["env"]["PASSWORD"]
    secrets = {"secrets": {}, "github": {"token": "t0ken"}}
    filled = [fill(output, {**secrets, "inputs": {"registry": name}}) for name in ("ghcr.io", "registry.example.com", "")]
    assert filled == ["t0ken", "", ""]


@pytest.mark.parametrize("variables", ["no assignment", "GITHUB_TOKEN=x", "A=1\nLD_PRELOAD=/tmp/x", "::add-mask::x=y"])
def test_variables_that_are_none_stop_the_called_workflow(job: Any, tmp_path: Path, variables: str) -> None:
    one = job(tmp_path)
    steps = yaml.safe_load(CALLED.read_text())["jobs"]["promote"]["steps"]
    step = next(step for step in steps if "VARIABLES" in step.get("env", {}))
    whole = one.steps([step], {"secrets": {"variables": variables}})
    assert whole.outcome == "failure"
    assert "LD_PRELOAD" not in one.env and variables not in one.log


def test_on_github_each_environment_has_a_job_and_the_review_that_lets_prod_begin_is_its_approval(project: Project) -> None:
    text = (project.world.clone / "pipeline.yaml").read_text()
    reviewed = text.replace("{min: 1}", "{from: [ana@example.com], grade: platform}")
    project.push("ready two", **{"pipeline.yaml": f"{reviewed}identities: {{ana@example.com: [ana-dev]}}\n"})
    built = on_github(project, "one").workflow(ENVIRONMENTS, "build", {})
    assert (built.outcome, project.lives_in("dev")) == ("success", None)
    needs: dict[str, Any] = {"build": {"outputs": built.outputs}}

    with forge_server() as github:
        this_run = {"GITHUB_API_URL": github.address, "GITHUB_RUN_ID": RUN, "GITHUB_REPOSITORY": REPOSITORY}
        second = on_github(project, "two")
        second.env |= this_run
        tested = second.workflow(ENVIRONMENTS, "test", {"needs": needs})
        assert (tested.outcome, tested.outputs["status"]) == ("success", "pending"), second.log
        assert (project.lives_in("dev"), project.lives_in("prod")) == (built.outputs["release"], None)

        needs["test"] = {"outputs": tested.outputs}
        third = on_github(project, "three")
        third.env |= this_run
        third.contexts["github"] = {"token": TOKEN}
        assert holds(yaml.safe_load(ENVIRONMENTS.read_text())["jobs"]["prod"]["if"], {"needs": needs, "success": True})
        early = third.workflow(ENVIRONMENTS, "prod", {"needs": needs})
        assert (early.outcome, early.code) == ("failure", 3), third.log
        github.review("ana-dev")
        done = third.workflow(ENVIRONMENTS, "prod", {"needs": needs})
        assert done.outcome == "success", third.log
    assert project.lives_in("prod") == built.outputs["release"]
    assert TOKEN not in third.log


# ------------------------------------------------------------ other CI


def sh(script: str, at: Path, project: Project, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a script with the shell of a container's image, with the real command on PATH and an environment of its own."""
    home = project.directory / "ci-home"
    home.mkdir(exist_ok=True)
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "DOCKER_HOST": project.cli.env["DOCKER_HOST"],
        "PROMOTER_ACTOR": "ci@example.com",
        **variables,
    }
    return subprocess.run(["/bin/sh", "-c", script], cwd=at, env=env, capture_output=True, text=True, check=False)


def on_gitlab(project: Project, at: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    job = component(**given)
    variables = {name: value["value"] if isinstance(value, dict) else value for name, value in job["variables"].items()}
    url = str(project.world.origin).removesuffix(".git")
    return sh("set -e\n" + "\n".join(job["script"]), at, project, **variables, CI_PROJECT_URL=url, GITLAB_CI="true", CI="true")


def on_jenkins(project: Project, at: Path, **parameters: str) -> "subprocess.CompletedProcess[str]":
    scripts = re.findall(r"sh\(?.*?'''\n(.*?)'''", (CI / "Jenkinsfile").read_text(), re.DOTALL)
    assert len(scripts) == 2
    (at / ".promoter").mkdir(exist_ok=True)
    (at / ".promoter/venv").symlink_to(Path(sys.executable).parents[1])
    return sh("set -xe\n" + "\n".join(scripts), at, project, PROMOTER_LEDGER="git:promoter-ledger", **parameters)


def on_woodpecker(project: Project, at: Path, event: str) -> "subprocess.CompletedProcess[str]":
    [step] = yaml.safe_load((CI / "woodpecker.yml").read_text())["steps"]
    variables = {name: str(value) for name, value in step["environment"].items() if isinstance(value, (str, int))}
    return sh("set -e\n" + "\n".join(step["commands"]), at, project, **variables, CI_PIPELINE_EVENT=event)


def by_cron(project: Project, at: Path) -> "subprocess.CompletedProcess[str]":
    [line] = [line for line in (CI / "crontab").read_text().splitlines() if line.startswith("*")]
    command = line.split(" ", 5)[5]
    assert "%" not in command, "cron makes a line break of it"
    return sh(command, at, project, CHECKOUT=str(at))


def test_on_gitlab_a_release_waits_and_another_job_continues_it(project: Project) -> None:
    waits = on_gitlab(project, project.checkout("gitlab"))
    assert waits.returncode == 3, waits.stdout + waits.stderr
    report = (project.world.directory / "gitlab/.promoter/promoter.env").read_text()
    assert "PROMOTER_STATUS=pending\n" in report and "PROMOTER_DIGEST=sha256:" in report
    assert (project.world.directory / "gitlab/.promoter/junit.xml").exists()
    release = project.lives_in("dev")

    woodpecker = on_woodpecker(project, project.checkout("woodpecker"), "cron")
    assert (woodpecker.returncode, "approvals" in woodpecker.stdout) == (0, True), woodpecker.stdout + woodpecker.stderr
    jenkins = on_jenkins(project, project.checkout("jenkins"), COMMAND="run", BY_CLOCK="1")
    assert jenkins.returncode == 3, jenkins.stdout + jenkins.stderr
    cron = by_cron(project, project.checkout("cron"))
    assert (cron.returncode, cron.stdout, cron.stderr) == (0, "", "")
    assert project.lives_in("prod") is None

    project.approve()
    done = by_cron(project, project.world.directory / "cron")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert project.lives_in("prod") == release is not None
    nothing = on_gitlab(project, project.world.directory / "gitlab", command="promote", environment="prod", release=release or "")
    assert nothing.returncode == 0, nothing.stdout + nothing.stderr


def test_on_gitlab_an_invalid_file_fails_the_job_with_a_message(project: Project) -> None:
    at = project.checkout("one")
    (at / "pipeline.yaml").write_text("name: shop\n")
    for ran in (
        on_gitlab(project, at),
        on_gitlab(project, at, command="plan", environment="prod'; touch pwned"),
        on_woodpecker(project, at, "push"),
        on_jenkins(project, at, COMMAND="run", BY_CLOCK="0", TO="$(touch pwned)"),
        by_cron(project, at),
    ):
        assert ran.returncode == 2 and "pipeline.yaml" in ran.stdout + ran.stderr, ran.stdout + ran.stderr
    assert not list(at.rglob("pwned"))
