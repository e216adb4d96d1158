"""`promoter exec` on a real engine, through the command."""

import json
import signal
import subprocess

import pytest

from tests.live.stage import Stage

SECRET = "s3cr3t-value"


@pytest.fixture
def running(stage: Stage) -> Stage:
    """Two replicas of web in dev. The file declares a secret that both have."""
    web = stage.service(environment={"TOKEN": "{{ secret('TOKEN') }}"}, deploy={"replicas": 2})
    stage.file({"web": web}, {"dev": {}}, secrets={"TOKEN": {"env": "TOKEN"}})
    stage.cli.env |= {"TOKEN": SECRET}
    stage.promoter("run")
    return stage


def started(stage: Stage) -> "subprocess.Popen[str]":
    """Return promoter while the command that it runs has written a line and has not ended."""
    process = stage.cli.start("exec", "dev", "web", "--", "sh", "-c", "echo first; sleep 600")
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    return process


def executed(stage: Stage) -> list[dict[str, object]]:
    return [fact for fact in stage.facts() if fact["kind"] == "executed"]


@pytest.mark.matrix
def test_a_command_runs_in_the_container_and_is_recorded_without_secrets(running: Stage) -> None:
    script = "hostname; echo $TOKEN; echo oops >&2; exit 3"
    ran = running.promoter("exec", "dev", "web", "--", "sh", "-c", script, code=1)
    first = running.of("dev", "web")
    assert ran.stdout.splitlines() == [first.id[:12], "[secret TOKEN]"]
    assert [line for line in ran.stderr.splitlines() if "secret" not in line][-2:] == [
        "oops",
        "promoter: the command ended with exit code 3",
    ]
    intent, result = executed(running)
    assert (result["container"], result["exit_code"], result["intent"]) == (first.id, 3, result["prev"])
    assert intent["command"] == ["sh", "-c", script]
    asked = running.promoter("exec", "dev", "web", "--json", "--replica", "2", "--", "echo", SECRET).json
    assert (asked["container"], asked["exit_code"]) == (f"{running.name}-dev-web-2", 0)
    assert SECRET not in json.dumps(running.facts())


def test_output_comes_while_the_command_runs_and_a_kill_leaves_the_intent(running: Stage) -> None:
    with started(running) as process:
        assert [("exit_code" in fact) for fact in executed(running)] == [False]
        process.kill()
    assert len(executed(running)) == 1


def test_an_interruption_ends_the_wait_and_is_recorded(running: Stage) -> None:
    with started(running) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert executed(running)[-1]["reason"] == "interrupted"


def test_a_command_that_does_not_end_in_time_fails(running: Stage) -> None:
    ran = running.promoter("exec", "dev", "web", "--timeout", "500ms", "--", "sleep", "600", code=1)
    assert "not finished within 500ms" in ran.stderr


@pytest.mark.matrix
def test_a_stopped_container_is_refused_until_it_is_repaired(running: Stage) -> None:
    running.of("dev", "web").stop(timeout=0)
    ran = running.promoter("exec", "dev", "web", "--", "true", code=1)
    assert "promoter repair dev" in ran.stderr
    assert executed(running) == []
    running.promoter("repair", "dev")
    assert running.promoter("exec", "dev", "web", "--", "true").exit_code == 0
    missing = running.promoter("exec", "dev", "web", "--", "/no/such/program", code=1)
    assert "no such file" in missing.text
