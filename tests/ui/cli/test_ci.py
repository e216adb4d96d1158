"""What the command reports to a CI besides its answer, without a change of answer or exit code."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from promoter.model.errors import CallerError, Diagnostic, InvalidFile, LeaseHeld, WorldError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress as e
from promoter.promotion.results import RunResult, Status
from tests.conftest import Cli
from tests.fakes.promoter import IMAGE, RELEASE, FakePromoter, environment, result
from tests.runner import Runner, assignments
from tests.ui.cli.conftest import RunCli

PLAIN = "dev: restoring the previous web\n"
FAILED = result(environment("dev"), environment("prod", Status.FAILED, ReasonCode.UNHEALTHY, "##[error]x", "::debug::y"))


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    for variable, name in (("GITHUB_OUTPUT", "outputs"), ("GITHUB_STEP_SUMMARY", "summary")):
        (tmp_path / name).touch()
        monkeypatch.setenv(variable, str(tmp_path / name))
    (tmp_path / "pipeline.yaml").touch()
    return tmp_path


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GITLAB_CI", "true")
    return tmp_path / ".promoter"


def test_outside_ci_output_is_plain_and_no_files_are_written(run_cli: RunCli, fake: FakePromoter, tmp_path: Path) -> None:
    fake.answers["run"] = FAILED
    fake.events = [e.Restoring("dev", "web")]
    answer = run_cli("run")
    assert answer.err == PLAIN
    assert "  ##[error]x\n  ::debug::y\n" in answer.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "GITLAB_CI"])
def test_a_platform_is_known_by_its_word_and_not_by_any(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    fake.events = [e.Restoring("dev", "web")]
    for word in ("false", "", "1"):
        monkeypatch.setenv(variable, word)
        assert run_cli("run").err == PLAIN


def test_the_settings_win_over_the_platforms_word(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    fake.events = [e.Restoring("dev", "web")]
    (github / ".promoter").mkdir()
    (github / ".promoter" / "settings.toml").write_text('ci = "none"\n')
    assert run_cli("run").err == PLAIN
    assert (github / "outputs").read_text() == ""
    (github / ".promoter" / "settings.toml").write_text('ci = "gitlab"\n')
    assert run_cli("run").err.startswith("\x1b[0Ksection_start:")


def test_an_unknown_ci_is_refused_by_name(run_cli: RunCli, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMOTER_CI", "jenkins")
    ran = cli("status", env={"PROMOTER_CI": "jenkins"})
    assert ran.exit_code == 2
    assert "environment variable PROMOTER_CI:1:1: Input should be 'auto', 'github', 'gitlab' or 'none'" in ran.stderr


def test_the_outputs_of_a_failed_run(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    fake.answers["run"] = FAILED
    answer = run_cli("run")
    outputs = assignments(github / "outputs")
    assert json.loads(outputs.pop("result")) == FAILED.document()
    assert outputs == {
        "status": "failed",
        "reason-code": "unhealthy",
        "release": RELEASE.id,
        "digest": str(IMAGE.digest),
        "images": json.dumps({"web": str(IMAGE)}, separators=(",", ":")),
        "plan-digest": FAILED.environments[1].plan_digest,
        "previous": FAILED.environments[1].previous,
        "url": f"https://prod.example.com/{RELEASE.short_id}",
    }
    runner = Runner().feed(answer.err, answer.out)
    (error,) = runner.annotations
    assert (error.name, error.properties["file"], error.properties["line"]) == ("error", "pipeline.yaml", "5")
    assert answer.code == 1 and "prod failed (unhealthy)" in answer.out


@pytest.mark.parametrize(
    ("argv", "matters"),
    [
        (("run", "--to", "dev"), "dev"),
        (("promote", "--to", "dev"), "dev"),
        (("plan", "--to", "dev"), "dev"),
        (("rollback", "dev"), "dev"),
        (("run",), "test"),
    ],
)
def test_the_environment_that_was_named_matters(
    run_cli: RunCli, fake: FakePromoter, github: Path, argv: tuple[str, ...], matters: str
) -> None:
    waits = environment("test", Status.PENDING, ReasonCode.SOAKING)
    fake.answers[argv[0]] = result(environment("dev"), waits, environment("prod", Status.NOT_REACHED))
    run_cli(*argv, "--json")
    assert assignments(github / "outputs")["url"] == f"https://{matters}.example.com/{RELEASE.short_id}"


def test_a_build_has_outputs_and_a_summary_too(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    fake.answers["build"] = RunResult("shop", RELEASE, ())
    assert run_cli("build").code == 0
    outputs = assignments(github / "outputs")
    assert (outputs["status"], outputs["digest"], outputs["previous"]) == ("complete", str(IMAGE.digest), "")
    assert RELEASE.short_id in (github / "summary").read_text()


@pytest.mark.parametrize(
    ("error", "status", "code", "exit_code"),
    [
        (LeaseHeld("prod", "ana", "noon"), "locked", "lock_held", 5),
        (WorldError("no engine\n::error::not ours", hint="start it"), "failed", "", 1),
        (CallerError("no such release"), "failed", "", 2),
        (RuntimeError("##[error]not ours"), "failed", "", 1),
    ],
)
def test_a_command_that_fails_before_there_is_a_result(
    run_cli: RunCli, fake: FakePromoter, github: Path, error: Exception, status: str, code: str, exit_code: int
) -> None:
    fake.answers["run"] = error
    answer = run_cli("run")
    outputs = assignments(github / "outputs")
    assert (outputs["status"], outputs["reason-code"], answer.code) == (status, code, exit_code)
    runner = Runner().feed(answer.err, answer.out)
    assert [(one.name, one.properties["title"]) for one in runner.commands] == [("error", "promoter run")]
    output = json.loads(outputs["result"])["error"]["message"]
    assert output.split("\n")[0].replace("##[", "## [") in runner.commands[0].data
    assert "❌ promoter run" in (github / "summary").read_text()


def test_a_bad_file_is_annotated_line_by_line(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    faults = tuple(Diagnostic("pipeline.yaml", line, 3, "unknown key", None, "  ##[error]key: 1") for line in (4, 7))
    fake.answers["run"] = InvalidFile(faults)
    answer = run_cli("run", "--json")
    runner = Runner().feed(answer.err, answer.out)
    assert [(one.name, one.properties["line"]) for one in runner.commands] == [("error", "4"), ("error", "7")]
    assert len(answer.json["error"]["complaints"]) == 2


def test_usage_with_words_of_others_is_only_text(run_cli: RunCli, github: Path) -> None:
    answer = run_cli("run", "a.yaml", "b\n::debug::not ours\n##[debug]not ours")
    runner = Runner().feed(answer.err, answer.out)
    assert (answer.code, [one.name for one in runner.commands]) == (2, ["error"])
    assert assignments(github / "outputs")["status"] == "failed"


def test_a_read_only_command_does_not_change_the_outputs(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    fake.answers["status"] = WorldError("no ledger")
    assert run_cli("status").code == 1
    assert (github / "outputs").read_text() == ""


def test_a_fault_in_a_report_is_a_warning(
    run_cli: RunCli, fake: FakePromoter, github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake.loaded, "complaint", lambda *_: 1 / 0)
    fake.answers["run"] = FAILED
    answer = run_cli("run")
    warnings = Runner().feed(answer.err).named("warning")
    assert [one.data for one in warnings] == ["a part of the report is missing: ZeroDivisionError: division by zero"]
    assert answer.code == 1 and assignments(github / "outputs")["status"] == "failed"
    assert "❌ failed" in (github / "summary").read_text()


def test_what_is_revealed_is_masked_even_in_a_group_and_when_quiet(run_cli: RunCli, fake: FakePromoter, github: Path) -> None:
    fake.events = [e.Restoring("dev", "web")]
    fake.during = lambda: fake.reveal("hunter2")
    for argv in (("run",), ("run", "--quiet")):
        assert Runner().feed(run_cli(*argv).err).masks == ["hunter2"]


def test_gitlab_gets_sections_and_two_reports(run_cli: RunCli, fake: FakePromoter, gitlab: Path) -> None:
    fake.events = [e.BuildStarted("web", "engine"), e.StepFailed("prod", "verify: x", ReasonCode.UNHEALTHY, ("x\r\x1b[0K",))]
    fake.answers["run"] = FAILED
    answer = run_cli("run")
    assert answer.err.count("section_start:") == answer.err.count("section_end:") == 2
    assert "PROMOTER_STATUS=failed\n" in (gitlab / "promoter.env").read_text()
    assert f"PROMOTER_URL=https://prod.example.com/{RELEASE.short_id}\n" in (gitlab / "promoter.env").read_text()
    suites = {suite.get("name"): suite.get("failures") for suite in ET.parse(gitlab / "junit.xml").getroot()}
    assert suites == {"dev": "0", "prod": "1"}


def test_reports_are_written_next_to_a_pipeline_file_given_as_an_argument(
    run_cli: RunCli, fake: FakePromoter, gitlab: Path, tmp_path: Path
) -> None:
    (tmp_path / "shop").mkdir()
    run_cli("run", "shop/pipeline.yaml")
    assert sorted(path.name for path in (tmp_path / "shop" / ".promoter").iterdir()) == ["junit.xml", "promoter.env"]
    assert not gitlab.exists()


def test_on_gitlab_no_text_holds_a_control_character(run_cli: RunCli, fake: FakePromoter, gitlab: Path) -> None:
    fake.answers["run"] = WorldError("\x1b[0Ksection_start:1:x\r\x1b[0K")
    assert run_cli("run").err == "promoter: [0Ksection_start:1:x[0K\n"
    assert "PROMOTER_STATUS=failed\n" in (gitlab / "promoter.env").read_text()
    assert ET.parse(gitlab / "junit.xml").getroot()[0].get("failures") == "1"


def test_reports_go_where_they_are_wanted(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMOTER_JUNIT", "out/j.xml")
    monkeypatch.setenv("PROMOTER_DOTENV", str(tmp_path / "p.env"))
    run_cli("run")
    assert ET.parse(tmp_path / "out" / "j.xml").getroot().get("name") == "shop"
    assert "PROMOTER_STATUS=complete\n" in (tmp_path / "p.env").read_text()
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("PROMOTER_JUNIT", "none")
    monkeypatch.setenv("PROMOTER_DOTENV", "none")
    run_cli("run")
    assert not (tmp_path / ".promoter").exists()
