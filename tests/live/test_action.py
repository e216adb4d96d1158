"""The action end to end: its own steps, as the runner executes them, on new machines that share a ledger in Git."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ci.job import Job, Step
from tests.conftest import ROOT
from tests.live.app import SERVER
from tests.live.project import Project

HOSTILE = """\
#!/bin/sh
printf '::error::pwned\\n::add-mask::dev\\n  ::set-output name=digest::pwned\\n##[add-path]/pwned\\n::stop-commands::pwned\\n'
exit 1
"""


def used(job: Job, **given: str) -> Step:
    return job.action(ROOT, {name.replace("_", "-"): value for name, value in given.items()})


def test_a_run_that_waits_is_approved_and_continued_on_other_machines(project: Project, tmp_path: Path) -> None:
    first = project.on("one")
    run = used(first, evidence=str(tmp_path / "record"))
    assert (run.outcome, run.outputs["status"], run.outputs["reason-code"]) == ("success", "pending", "approvals_missing"), (
        run.log
    )
    assert any("approvals_missing" in notice.data for notice in first.runner.named("notice"))
    images = json.loads(run.outputs["images"])
    assert images["web"].endswith("@" + run.outputs["digest"])
    assert json.loads(run.outputs["result"])["release"]["id"] == run.outputs["release"] == project.lives_in("dev")
    record = tmp_path / "record"
    assert json.loads((record / "result.json").read_text()) == json.loads(run.outputs["result"])
    kinds = [json.loads(line)["kind"] for line in (record / "ledger.jsonl").read_text().splitlines()]
    assert kinds[0] == "released" and kinds[-1] == "requested"
    assert first.runner.masks == []

    second = project.on("two")
    red = used(second, command="promote", environment="prod", on_pending="fail")
    assert (red.outcome, red.code, red.outputs["status"]) == ("failure", 3, "pending"), red.log

    project.approve()

    done = used(second, command="promote", environment="prod")
    assert (done.outcome, done.outputs["status"], done.outputs["release"]) == ("success", "complete", run.outputs["release"]), (
        done.log
    )
    assert (done.outputs["digest"], done.outputs["previous"]) == (run.outputs["digest"], "")
    assert project.lives_in("prod") == run.outputs["release"]

    status = used(project.on("three"), command="status")
    there = {one["name"]: one["release"]["id"] for one in json.loads(status.outputs["result"])["environments"]}
    assert (status.outputs["status"], set(there.values())) == ("complete", {run.outputs["release"]}), status.log


def test_a_release_that_fails_is_red_with_the_earlier_one_back_and_its_containers_command_nothing(project: Project) -> None:
    good = used(project.on("one"), environment="dev")
    assert (good.outcome, good.outputs["status"]) == ("success", "complete"), good.log

    spoiled = SERVER.partition('CMD ["httpd')[0] + 'COPY hostile /hostile\nCMD ["sh", "/hostile"]\n'
    project.push("ready two", Dockerfile=spoiled, hostile=HOSTILE)
    job = project.on("two")
    bad = used(job, environment="dev")
    assert (bad.outcome, bad.code, bad.outputs["status"]) == ("failure", 6, "rolled_back"), bad.log
    assert project.lives_in("dev") == good.outputs["release"]
    assert "pwned" in bad.log
    obeyed = [
        one for one in job.runner.commands if one.data in {"pwned", "/pwned", "dev"} or one.name in {"add-path", "set-output"}
    ]
    assert obeyed == []
    assert job.runner.named("error")
    assert job.runner.masks == [] and bad.outputs["digest"] != good.outputs["digest"]


@pytest.fixture
def read_only(project: Project, free_port: Callable[[], int]) -> Iterator[str]:
    """Serve the repository as the token of a fork's pull request sees it: it can read everything and write nothing."""
    port, base = free_port(), project.world.directory
    command = [
        "git",
        "daemon",
        "--export-all",
        f"--base-path={base}",
        "--listen=127.0.0.1",
        f"--port={port}",
        "--reuseaddr",
        str(base),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as daemon:
        try:
            until_it_listens(port)
            yield f"git://127.0.0.1:{port}/origin.git"
        finally:
            os.killpg(daemon.pid, signal.SIGKILL)


def until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    pytest.fail("git daemon does not listen")


def test_a_fork_may_plan_and_its_run_ends_with_a_clear_error(project: Project, read_only: str, tmp_path: Path) -> None:
    text = (project.world.clone / "pipeline.yaml").read_text()
    held = "    services: {web: {environment: {TOKEN: \"{{ secret('TOKEN') }}\"}}}\n"
    secret = text.replace("  prod:\n", f"  prod:\n{held}") + "secrets: {TOKEN: {env: SHOP_TOKEN}}\n"
    project.push("ready two", **{"pipeline.yaml": secret})
    owner = project.on("owner")
    owner.env["SHOP_TOKEN"] = "s3cr3t-of-the-owner"
    built = used(owner, command="build")
    assert (built.outcome, built.outputs["status"]) == ("success", "complete"), built.log

    job = project.on("fork")
    project.world.git("remote", "set-url", "origin", read_only, at=job.workspace)
    job.env |= {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/1/merge",
        "GITHUB_REF_NAME": "1/merge",
        "GITHUB_HEAD_REF": "x$(touch${IFS}pwned);\"'`touch${IFS}pwned`",
        "GITHUB_ACTOR": "mallory",
    }
    before = project.world.git("for-each-ref", at=project.world.origin)
    for given in (
        {"command": "validate"},
        {"command": "plan", "environment": "dev"},
        {"command": "plan"},
        {"command": "explain", "environment": "prod"},
    ):
        ran = used(job, **given)
        assert (ran.outcome, ran.outputs["status"] != "failed") == ("success", True), ran.log
        assert ("secret TOKEN is missing here: assumed to be as it was recorded" in ran.log) or given != {"command": "plan"}, (
            ran.log
        )
    stopped = used(job, environment="dev", evidence=str(tmp_path / "record"))
    assert (stopped.outcome, stopped.outputs["status"]) == ("failure", "failed"), stopped.log
    assert "does not allow writing" in stopped.log and "Traceback" not in stopped.log, stopped.log
    assert json.loads((tmp_path / "record/result.json").read_text())["decision"] == "failed"
    assert project.world.git("for-each-ref", at=project.world.origin) == before
    assert project.lives_in("dev") is None
    assert not list(job.workspace.rglob("*pwned*"))
