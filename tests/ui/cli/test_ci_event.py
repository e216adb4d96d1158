"""`promoter ci`: which event leads to which command, and what a job gets as its result."""

from datetime import timedelta
from pathlib import Path

import pytest

from promoter.model.errors import CallerError
from promoter.model.verdict import ReasonCode
from promoter.promotion.results import Status
from promoter.ui.cli.ci.event import OnPending, Work, work_of
from promoter.usecases.status import StatusReport
from tests.fakes.promoter import RELEASE, FakePromoter, environment, result, status_report
from tests.runner import assignments
from tests.ui.cli.conftest import Answer, RunCli

GITHUB = {"GITHUB_ACTIONS": "true"}
GITLAB = {"GITLAB_CI": "true"}
GREEN, RED = OnPending.SUCCEED, OnPending.FAIL
PENDING = result(environment("dev"), environment("prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, "0 of 1 approvals"))
NOTHING = StatusReport("shop", tuple(one for one in status_report().environments if one.waiting is None))


# ------------------------------------------------------------ the command of an event
@pytest.mark.parametrize(
    ("environ", "work"),
    [
        (GITHUB | {"GITHUB_EVENT_NAME": "push"}, Work("run", GREEN)),
        (GITHUB | {"GITHUB_EVENT_NAME": "schedule"}, Work("promote", GREEN, if_waiting=True)),
        (GITHUB | {"GITHUB_EVENT_NAME": "workflow_dispatch"}, Work("promote", GREEN)),
        (GITHUB | {"GITHUB_EVENT_NAME": "repository_dispatch"}, Work("promote", GREEN)),
        (GITLAB | {"CI_PIPELINE_SOURCE": "push"}, Work("run", RED)),
        (GITLAB | {"CI_PIPELINE_SOURCE": "schedule"}, Work("promote", RED, if_waiting=True)),
        *((GITLAB | {"CI_PIPELINE_SOURCE": source}, Work("promote", RED)) for source in ("web", "api", "trigger", "pipeline")),
    ],
    ids=lambda value: next(reversed(value.values())) if isinstance(value, dict) else "",
)
def test_each_event_asks_for_one_command(environ: dict[str, str], work: Work) -> None:
    assert work_of(environ) == work


def test_release_and_environment_come_from_options_then_from_variables() -> None:
    job = GITHUB | {"GITHUB_EVENT_NAME": "workflow_dispatch"}
    named = job | {"PROMOTER_CI_RELEASE": "3f2a", "PROMOTER_CI_ENVIRONMENT": "test"}
    empty = job | {"PROMOTER_CI_RELEASE": "", "PROMOTER_CI_ENVIRONMENT": ""}
    assert work_of(named) == Work("promote", GREEN, "3f2a", "test")
    assert work_of(named, "9c", "prod") == Work("promote", GREEN, "9c", "prod")
    assert work_of(named, "", "") == Work("promote", GREEN, "3f2a", "test")
    assert work_of(empty) == work_of(empty, "", "") == Work("promote", GREEN)


def test_a_push_may_stop_at_an_environment_and_cannot_name_a_release() -> None:
    job = GITLAB | {"CI_PIPELINE_SOURCE": "push"}
    assert work_of(job, to="test") == Work("run", RED, to="test")
    with pytest.raises(CallerError, match="a push makes a release of its own"):
        work_of(job, "3f2a")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "this is not a job of GitHub Actions or GitLab CI"),
        ({"GITHUB_EVENT_NAME": "push", "CI_PIPELINE_SOURCE": "push"}, "this is not a job of GitHub Actions or GitLab CI"),
        (GITHUB, "does nothing for the event ''"),
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request"}, "does nothing for the event 'pull_request'"),
        (GITHUB | {"GITHUB_EVENT_NAME": "web"}, "does nothing for the event 'web'"),
        (GITHUB | {"CI_PIPELINE_SOURCE": "push"}, "does nothing for the event ''"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "merge_request_event"}, "does nothing for the event 'merge_request_event'"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "workflow_dispatch"}, "does nothing for the event 'workflow_dispatch'"),
    ],
)
def test_any_other_event_is_refused_with_a_remedy(environ: dict[str, str], message: str) -> None:
    with pytest.raises(CallerError, match=message) as caught:
        work_of(environ)
    assert "promoter run" in (caught.value.hint or "")


# ------------------------------------------------------------ the command
@pytest.fixture
def ci(run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch) -> object:
    for name in (
        "GITHUB_ACTIONS",
        "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY",
        "GITLAB_CI",
        "PROMOTER_CI_RELEASE",
        "PROMOTER_CI_ENVIRONMENT",
    ):
        monkeypatch.delenv(name, raising=False)

    def run(environ: dict[str, str], *words: str) -> Answer:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return run_cli("ci", *words)

    return run


def called(fake: FakePromoter) -> list[tuple[object, ...]]:
    return [call for call in fake.asked if call[0] != "open"]


def test_a_push_runs(ci, fake):
    answer = ci(GITHUB | {"GITHUB_EVENT_NAME": "push"}, "--wait-lock", "10m", "--to", "test", "--json")
    assert (answer.code, answer.json) == (0, result().document())
    assert called(fake) == [("run", "test", None, timedelta(minutes=10))]


def test_a_manual_start_promotes_what_its_variables_name(ci, fake):
    inputs = {"PROMOTER_CI_RELEASE": "--ledger=x", "PROMOTER_CI_ENVIRONMENT": "prod"}
    assert ci(GITHUB | {"GITHUB_EVENT_NAME": "workflow_dispatch"} | inputs).code == 0
    assert called(fake) == [("promote", "--ledger=x", "prod", None, None)]  # a value, never an option


def test_a_schedule_promotes_what_waits(ci, fake):
    assert ci(GITLAB | {"CI_PIPELINE_SOURCE": "schedule"}).code == 0
    assert called(fake) == [("status", None), ("promote", None, None, None, None)]


def test_a_schedule_does_nothing_if_nothing_waits(ci, fake):
    fake.answers["status"] = NOTHING
    answer = ci(GITHUB | {"GITHUB_EVENT_NAME": "schedule"})
    assert (answer.code, answer.out, called(fake)) == (0, "no release is waiting\n", [("status", None)])
    document = ci({}, "--json").json
    assert (document["decision"], document["reason_code"], document["environments"]) == ("complete", "nothing_to_do", [])
    assert (document["pipeline"], document["release"]) == ("shop", None)
    assert ci({}, "--quiet").out == ""


@pytest.mark.parametrize(
    ("environ", "words", "code"),
    [
        (GITHUB | {"GITHUB_EVENT_NAME": "push"}, (), 0),
        (GITHUB | {"GITHUB_EVENT_NAME": "workflow_dispatch"}, (), 0),
        (GITHUB | {"GITHUB_EVENT_NAME": "push"}, ("--on-pending", "fail"), 3),
        (GITLAB | {"CI_PIPELINE_SOURCE": "push"}, (), 3),
        (GITLAB | {"CI_PIPELINE_SOURCE": "web"}, ("--on-pending", "succeed"), 0),
    ],
)
def test_waiting_at_a_gate_is_green_with_a_notice_or_exit_code_3(ci, fake, environ, words, code):
    fake.answers |= {"run": PENDING, "promote": PENDING}
    answer = ci(environ, *words)
    assert answer.code == code
    assert ("waits at a gate without using a runner" in answer.err) == (code == 0)
    if code == 0 and "GITHUB_ACTIONS" in environ:
        assert "::notice title=promoter::waits at a gate" in answer.err


def test_no_other_result_is_green(ci, fake):
    fake.answers["run"] = result(environment("dev", Status.FAILED, ReasonCode.UNHEALTHY))
    assert ci(GITHUB | {"GITHUB_EVENT_NAME": "push"}, "--on-pending", "succeed").code == 1


def test_outside_of_ci_it_is_2_and_nothing_is_opened(ci, fake):
    answer = ci({})
    assert (answer.code, fake.asked) == (2, [])
    assert "use `promoter run` or `promoter promote`" in answer.err


def test_outputs_are_those_of_the_command_that_it_did(ci, fake, tmp_path: Path):
    (tmp_path / "outputs").touch()
    environ = GITHUB | {"GITHUB_EVENT_NAME": "push", "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    assert ci(environ).code == 0
    outputs = assignments(tmp_path / "outputs")
    assert (outputs["status"], outputs["release"]) == ("complete", RELEASE.id)


def test_an_error_before_the_command_is_annotated(ci):
    assert "::error title=promoter ci::" in ci(GITHUB | {"GITHUB_EVENT_NAME": "pull_request"}).err
