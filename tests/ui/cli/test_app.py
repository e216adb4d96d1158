"""The commands as a person uses them: what they pass on, what they print, and their exit codes."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from promoter.ledger.chain import check_chain
from promoter.model.errors import CallerError, Diagnostic, InvalidFile, LeaseHeld, Refused, WorldError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.results import RunResult, Status
from promoter.ui.cli.app import VERBS, load
from promoter.usecases.history import LedgerReport
from tests.fakes.clock import START
from tests.fakes.promoter import EARLIER, PLAN, RELEASE, FakePromoter, environment, facts, result
from tests.ui.cli.conftest import RunCli

PIPELINE = Path("pipeline.yaml")
DECEMBER = datetime(2026, 12, 18, 7, 0, tzinfo=UTC)


# ------------------------------------------------------------ global options
@pytest.mark.parametrize(
    "argv",
    [
        ("-f", "p.yaml", "--ledger", "L", "--actor", "ana", "--json", "--quiet", "status"),
        ("status", "-f", "p.yaml", "--ledger", "L", "--actor", "ana", "--json", "--quiet"),
        ("--json", "--ledger", "other", "status", "--file", "p.yaml", "--ledger", "L", "--actor", "ana"),
    ],
)
def test_global_options_are_accepted_before_and_after_the_command(
    run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...]
) -> None:
    assert run_cli(*argv).json["pipeline"] == "shop"
    assert fake.asked[0] == ("open", Path("p.yaml"), "L", "ana")


def test_global_options_reach_a_command_inside_a_command(run_cli: RunCli, fake: FakePromoter) -> None:
    for argv in (("--json", "ledger", "verify"), ("ledger", "--json", "verify"), ("ledger", "verify", "--json")):
        assert run_cli(*argv).json["facts"] == 4
    assert fake.asked[0] == ("open", PIPELINE, None, None)


@pytest.mark.parametrize("verb", ["run", "build"])
def test_the_file_may_be_an_argument(run_cli: RunCli, fake: FakePromoter, verb: str) -> None:
    assert run_cli(verb, "p.yaml").code == 0
    assert fake.asked[0] == ("open", Path("p.yaml"), None, None)


def test_two_different_files_are_refused(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("run", "a.yaml", "-f", "b.yaml")
    assert (answer.code, fake.asked) == (2, [])
    assert "two pipeline files are named: a.yaml and b.yaml" in answer.err


def test_the_file_comes_from_the_flag_then_the_variable(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMOTER_FILE", "v.yaml")
    run_cli("status")
    run_cli("-f", "f.yaml", "status")
    assert [asked[1] for asked in fake.asked if asked[0] == "open"] == [Path("v.yaml"), Path("f.yaml")]


@pytest.mark.parametrize("argv", [("--version",), ("status", "--version")])
def test_version(run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...]) -> None:
    answer = run_cli(*argv)
    assert (answer.code, fake.asked) == (0, [])
    assert answer.out.startswith("promoter 0.")


# ------------------------------------------------------------ what is passed on
@pytest.mark.parametrize(
    ("argv", "asked"),
    [
        (("run", "--to", "test", "--wait", "1m30s"), ("run", "test", timedelta(seconds=90), None)),
        (("run",), ("run", None, None, None)),
        (("promote", "3f2a", "--to", "prod"), ("promote", "3f2a", "prod", None, None)),
        (("plan", "3f2a"), ("plan", "3f2a", None)),
        (("explain", "prod"), ("explain", "prod", None, None, False)),
        (("explain", "prod", "3f", "--at", "+90m", "--look"), ("explain", "prod", "3f", START + timedelta(minutes=90), True)),
        (("explain", "prod", "--at", "2026-12-18T09:00+02:00"), ("explain", "prod", None, DECEMBER, False)),
        (("rollback", "prod", "--to", "3f", "--reason", "slow"), ("rollback", "prod", "3f", "slow", None, False)),
        (("rollback", "prod", "--current-config"), ("rollback", "prod", None, None, None, True)),
        (("repair",), ("repair", None, None, False, None)),
        (("repair", "prod", "--force", "--reason", "it must serve"), ("repair", "prod", None, True, "it must serve")),
        (("approve", "prod", "3f", "--yes", "--comment", "fine", "--key", "id"), ("vote", "approve", "fine", "id")),
        (("reject", "prod", "--yes"), ("vote", "reject", None, None)),
        (("override", "prod", "--reason", "down", "--yes", "--key", "id"), ("override", "down", "id")),
        (("review", "prod", "--comment", "seen"), ("review", "prod", "seen", None)),
        (("pin", "prod", "--reason", "why"), ("pin", "prod", "why")),
        (("unpin", "prod", "--reason", "why"), ("unpin", "prod", "why")),
        (("freeze", "--reason", "why"), ("freeze", None, "why")),
        (("freeze", "prod", "--reason", "why"), ("freeze", "prod", "why")),
        (("unfreeze", "prod", "--reason", "why"), ("unfreeze", "prod", "why")),
        (("veto", "3f", "--reason", "why"), ("veto", "3f", "why", ())),
        (("veto", "3f", "--reason", "why", "--service", "web"), ("veto", "3f", "why", ("web",))),
        (("history", "dev"), ("history", "dev")),
        (("diff", "dev", "prod"), ("diff", "dev", "prod")),
        (("logs", "3f"), ("logs", "3f", None, 100)),
        (("logs", "prod", "web", "-n", "5"), ("logs", "prod", "web", 5)),
        (("logs",), ("logs", None, None, 100)),
    ],
)
def test_commands_pass_their_arguments_to_the_api(
    run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...], asked: tuple[object, ...]
) -> None:
    assert run_cli(*argv).code == 0
    assert fake.asked[-1] == asked


@pytest.mark.parametrize(("argv", "release"), [(("show", "3f"), "3f"), (("show",), None)])
def test_show_reads_the_history_only_for_people(
    run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...], release: str | None
) -> None:
    assert run_cli(*argv).code == 0
    assert fake.asked[-2:] == [("show", release), ("history", None)]
    assert run_cli(*argv, "--json").code == 0
    assert fake.asked[-1] == ("show", release)


def test_an_override_is_checked_before_the_case_is_shown(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["check_override"] = Refused("ben may not", ReasonCode.ROLE_MISSING)
    answer = run_cli("override", "prod", "--reason", "down", "--yes", "--key", "id")
    assert (answer.code, answer.out, answer.err) == (4, "", "promoter: ben may not\n")
    assert fake.asked[-1] == ("check_override", "id")


def test_wait_comes_from_the_settings_too(run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOTER_WAIT", "5m")
    run_cli("promote")
    assert fake.asked[-1] == ("promote", None, None, timedelta(minutes=5), None)


def test_wait_lock_comes_from_the_flag_or_the_settings(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMOTER_WAIT_LOCK", "5m")
    run_cli("run")
    assert fake.asked[-1] == ("run", None, None, timedelta(minutes=5))
    run_cli("rollback", "prod", "--wait-lock", "10s")
    assert fake.asked[-1] == ("rollback", "prod", None, None, timedelta(seconds=10), False)
    assert "--wait-lock: 'soon' is not a duration" in run_cli("promote", "--wait-lock", "soon").err


def test_locks_are_shown(run_cli: RunCli, fake: FakePromoter) -> None:
    assert "ben@example.com on build-7" in run_cli("locks").out
    assert run_cli("locks", "--json").json["locks"][0]["token"] == 3


# ------------------------------------------------------------ exit codes
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.DEPLOYED, 0),
        (Status.UNCHANGED, 0),
        (Status.FAILED, 1),
        (Status.PENDING, 3),
        (Status.REFUSED, 4),
        (Status.LOCKED, 5),
        (Status.ROLLED_BACK, 6),
        (Status.INTERRUPTED, 130),
    ],
)
@pytest.mark.parametrize("verb", [("run",), ("promote",), ("rollback", "dev")])
def test_the_decision_is_the_exit_code(
    run_cli: RunCli, fake: FakePromoter, verb: tuple[str, ...], status: Status, code: int
) -> None:
    answer = fake.answers[verb[0]] = result(environment("dev", status))
    assert run_cli(*verb).code == code
    assert run_cli(*verb, "--json").json == answer.document()


@pytest.mark.parametrize(
    ("error", "code", "decision", "reason"),
    [
        (CallerError("no such environment", hint="known: dev"), 2, "failed", None),
        (WorldError("the engine is away", hint="start it"), 1, "failed", None),
        (Refused("no", ReasonCode.REJECTED), 4, "refused", "rejected"),
        (LeaseHeld("dev", "ben@host", "now"), 5, "locked", "lock_held"),
    ],
)
def test_errors_become_a_sentence_a_hint_and_a_code(
    run_cli: RunCli, fake: FakePromoter, error: CallerError, code: int, decision: str, reason: str | None
) -> None:
    fake.answers["run"] = error
    answer = run_cli("run")
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.splitlines() == [f"promoter: {error.message}"] + ([f"  {error.hint}"] if error.hint else [])
    output = run_cli("run", "--json")
    expected = {"decision": decision, "reason_code": reason, "error": {"message": error.message, "hint": error.hint}}
    assert (output.code, output.json) == (code, expected)


def test_all_complaints_about_a_file_are_printed(run_cli: RunCli, fake: FakePromoter) -> None:
    complaints = (Diagnostic("p.yaml", 2, 3, "no", "write yes", "a: no"), Diagnostic("p.yaml", 4, 1, "neither"))
    fake.answers["run"] = InvalidFile(complaints)
    answer = run_cli("run")
    assert (answer.code, answer.err) == (2, "\n".join(str(c) for c in complaints) + "\n")
    output = run_cli("run", "--json").json["error"]["complaints"]
    assert output == [
        {"file": "p.yaml", "line": 2, "column": 3, "message": "no", "hint": "write yes"},
        {"file": "p.yaml", "line": 4, "column": 1, "message": "neither", "hint": None},
    ]


def test_an_unexpected_error_is_one_line_and_a_traceback_only_on_demand(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers["status"] = ZeroDivisionError("division\nby zero")
    answer = run_cli("status")
    assert answer.code == 1
    assert answer.err.startswith("promoter: internal error: ZeroDivisionError: division by zero\n  run the command again")
    assert "Traceback" not in answer.err
    assert run_cli("status", "--json").json["decision"] == "failed"
    monkeypatch.setenv("PROMOTER_DEBUG", "1")
    assert "Traceback" in run_cli("status").err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("statsu",), "'status'"),
        (("run", "--too", "dev"), "--too"),
        (("pin", "prod"), "--reason"),
        (("veto", "3f"), "--reason"),
        (("freeze",), "--reason"),
        (("approve",), "ENV"),
        (("run", "--wait", "soon"), "'soon' is not a duration"),
        (("diff", "dev"), "ENV"),
    ],
)
def test_wrong_usage_exits_2_with_a_message(run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...], message: str) -> None:
    answer = run_cli(*argv)
    assert (answer.code, answer.out, fake.asked) == (2, "", [])
    assert message in answer.err
    output = run_cli(*argv, "--json")
    assert output.code == 2
    assert message in output.json["error"]["message"]


def test_keyboard_interrupt_is_130(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["status"] = KeyboardInterrupt()
    assert run_cli("status").code == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_the_run_to_end_in_good_order(run_cli: RunCli, fake: FakePromoter, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    fake.during = lambda: os.kill(os.getpid(), number)
    fake.answers["run"] = result(environment("dev", Status.INTERRUPTED, ReasonCode.INTERRUPTED, "dev is as it was"))
    answer = run_cli("run")
    assert (answer.code, fake.interrupted) == (130, 1)
    assert "dev is as it was" in answer.out
    assert signal.getsignal(number) is before


def test_a_hangup_that_was_to_be_ignored_is_ignored(run_cli: RunCli, fake: FakePromoter) -> None:
    """SIGHUP is ignored, as with `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fake.during = lambda: os.kill(os.getpid(), signal.SIGHUP)
        assert (run_cli("run").code, fake.interrupted) == (0, 0)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_second_signal_ends_at_once(run_cli: RunCli, fake: FakePromoter) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    fake.during = twice
    answer = run_cli("run")
    assert (answer.code, answer.out, fake.interrupted) == (130, "", 1)


# ------------------------------------------------------------ what is printed
def test_a_closed_gate_prints_the_next_command(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["run"] = result(
        environment("dev"),
        environment("prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, "0 of 1 approvals; may approve: anyone"),
    )
    lines = run_cli("run", "--ledger", "sqlite:my ledger").out.splitlines()
    assert lines[2].endswith(f"{EARLIER.short_id[:7]} serves · 0 of 1 approvals; may approve: anyone")
    assert lines[-1] == "next: promoter approve prod --ledger 'sqlite:my ledger'"
    named = run_cli("run", "-f", "other.yaml").out.splitlines()
    assert named[-1] == "next: promoter approve prod -f other.yaml"


def test_progress_goes_to_stderr_also_with_json_and_not_at_all_when_quiet(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.events = (progress.Notice("hello"), progress.BuildLine("web", "step 1"), progress.BuildDone("web", 1))
    assert run_cli("run").err == "hello\n"
    assert run_cli("run", "-v").err == "hello\nweb | step 1\nweb: built in 1.0s\n"
    assert run_cli("run", "--json").err == "hello\n"
    assert run_cli("run", "--quiet") == run_cli("run", "--quiet")
    assert (run_cli("run", "--quiet").out, run_cli("run", "--quiet").err) == ("", "")


def test_quiet_still_prints_failures(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["run"] = result(environment("dev", Status.FAILED, ReasonCode.UNHEALTHY, "exit code 3"))
    assert "exit code 3" in run_cli("run", "--quiet").out


def test_build_prints_the_release(run_cli: RunCli) -> None:
    answer = run_cli("build")
    assert answer.out.splitlines()[0].startswith(
        f"shop: release {RELEASE.short_id} (main c0ffeec0ffee, with uncommitted changes)"
    )
    assert run_cli("build", "--json").json["release"]["id"] == RELEASE.id


def test_plan_exits_0_and_prints_releases_gates_changes_and_steps(run_cli: RunCli) -> None:
    answer = run_cli("plan")
    assert answer.code == 0
    for output in ("-> ", "⏸ approval of 1 person: 0 of 1", '+ services.web.environment.A: "1"', "steps: pull web"):
        assert output in answer.out
    for output in (f"plan {PLAN}", "1. pull web", f"web  {RELEASE.images['web']}"):
        assert output in run_cli("plan", "-v").out
    assert run_cli("plan", "--json").json["environments"][0]["steps"][0]["id"] == "pull web"


def test_approve_shows_the_case_and_records(run_cli: RunCli) -> None:
    answer = run_cli("approve", "prod", "--yes")
    for output in (
        f"shop: deploy release {RELEASE.short_id} to prod",
        "c0ffee1 Be faster",
        'A: "1" -> "2"',
        "ben@example.com",
        "approved by ana@example.com, fact 1",
    ):
        assert output in answer.out
    assert answer.out.splitlines()[-1] == "not enough yet: approval of 2 people: 1 of 2 approvals"


def test_approve_with_json_prints_the_fact_alone_and_the_case_on_stderr(run_cli: RunCli) -> None:
    answer = run_cli("approve", "prod", "--yes", "--json")
    assert answer.json["kind"] == "approved"
    assert f"deploy release {RELEASE.short_id} to prod" in answer.err


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_without_terminal_and_without_yes_nothing_is_recorded(
    run_cli: RunCli, fake: FakePromoter, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open(encoding="utf-8") as empty:
        monkeypatch.setattr("sys.stdin", empty)
        answer = run_cli(verb, "prod")
    assert answer.code == 2
    assert "--yes" in answer.err
    assert [asked[0] for asked in fake.asked] == ["open", "case"]


def test_status_is_a_matrix(run_cli: RunCli) -> None:
    lines = run_cli("status").out.splitlines()
    assert lines[0].split()[0] == "shop"
    assert lines[1].split() == ["ENV", "RELEASE", "SOURCE", "SINCE", "HEALTH", "NOTE"]
    assert lines[2].split() == ["dev", RELEASE.short_id[:7], "c0ffeec", "main", "(changed)", "0", "s", "✓", "healthy"]
    assert lines[3].split() == ["prod", "-", "-", "-", "-", "pinned"]
    assert lines[-2:] == [
        "! prod  pinned: year end",
        f"⏸ prod  {RELEASE.short_id[:7]} waits (approvals_missing): 0 of 1 approvals; may approve: anyone",
    ]
    assert RELEASE.id in run_cli("status", "-v").out


def test_history(run_cli: RunCli) -> None:
    answer = run_cli("history")
    assert [line[16:].split()[2] for line in answer.out.splitlines()[1:]] == ["waits", "deployed", "released"]
    whole = run_cli("history", "-v")
    assert [line.split()[3] for line in whole.out.splitlines()[1:]] == ["released", "started", "promoted", "requested"]
    assert "downtime 12ms" in whole.out
    assert run_cli("history", "--json").json == [fact.document() for fact in facts()]


def test_show_diff_and_logs_are_text_and_json(run_cli: RunCli) -> None:
    shown = run_cli("show", "3f").out.splitlines()
    assert shown[0] == f"release {RELEASE.short_id} (main c0ffeec0ffee, with uncommitted changes)"
    assert shown[-1].split()[3:] == ["-", "released", RELEASE.short_id[:7], "ana@example.com"]
    assert run_cli("show", "3f", "-v").out.startswith(f"release {RELEASE.id} ")
    differs = run_cli("diff", "dev", "prod").out
    assert "configuration:\n  ~ a: 1 -> 2" in differs
    assert f"  web: {RELEASE.images['web'].digest.hex[:12]} -> (none)" in differs
    assert f"  web: {RELEASE.images['web'].digest} -> (none)" in run_cli("diff", "dev", "prod", "-v").out
    assert "commits in dev and not in prod:\n  c0ffee1 Be faster" in differs
    assert run_cli("diff", "dev", "prod", "--json").json["changes"] == [{"path": "a", "from": 1, "to": 2, "change": "changed"}]
    assert run_cli("logs", "3f").out.splitlines()[1:] == ["migrated[2J", "fine"]
    assert run_cli("logs", "3f", "-v").out.splitlines()[0] == "== dev: before 1, 2026-11-23 18:20:11Z"
    assert run_cli("logs", "3f", "--json").json[0]["text"] == "migrated\x1b[2J\nfine"


def test_export_prints_exactly_the_lines(run_cli: RunCli) -> None:
    lines = run_cli("ledger", "export").out.encode().split(b"\n")
    assert lines == [*(fact.line for fact in facts()), b""]
    assert len(list(check_chain(lines[:-1]))) == 4
    assert run_cli("ledger", "export", "--json").json == [fact.document() for fact in facts()]


def test_a_broken_chain_is_1_and_names_the_position(run_cli: RunCli, fake: FakePromoter) -> None:
    assert run_cli("ledger", "verify").code == 0
    fake.answers["ledger_verify"] = LedgerReport("ledger.db", 2, "sha256:00", "line 3: fact 3 names another")
    answer = run_cli("ledger", "verify")
    assert answer.code == 1
    assert "line 3: fact 3 names another" in answer.err
    assert run_cli("ledger", "verify", "--json").json["ok"] is False


def test_no_release_could_be_made(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["build"] = RunResult("shop", None, (), ReasonCode.BUILD_FAILED)
    assert run_cli("build").out.startswith("shop: no release")


# ------------------------------------------------------------ help
def every_command() -> list[tuple[str, ...]]:
    return [(name,) for name in VERBS] + [("ledger", "verify"), ("ledger", "export"), ("ledger", "copy")]


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_each_help_shows_an_example_of_itself_and_the_global_options(
    run_cli: RunCli, fake: FakePromoter, path: tuple[str, ...]
) -> None:
    answer = run_cli(*path, "--help")
    assert (answer.code, fake.asked) == (0, [])
    assert f"\n    promoter {path[0]}" in answer.out
    for option in ("--json", "--ledger", "--actor", "--quiet", "--version", "-f, --file"):
        assert option in answer.out


@pytest.mark.parametrize("name", VERBS)
def test_the_list_of_commands_has_the_first_line_of_each_help(name: str) -> None:
    assert (load(name).help or "").splitlines()[0] == VERBS[name]
    assert len(VERBS[name]) <= 66, "it would be cut on a terminal of 80 columns"


# ------------------------------------------------------------ explain
@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("tomorrow", "is not a time"),
        ("2026-12-18T09:00", "has no zone"),
        ("2026-13-01T09:00Z", "is not a time"),
        ("+4", "is not a time"),
        ("+99999999999d", "is not a time"),
        ("2126-01-01T00:00Z", "more than ten years ahead"),
    ],
)
def test_a_time_that_is_none_is_refused_with_what_to_write(run_cli: RunCli, fake: FakePromoter, message: str, word: str) -> None:
    answer = run_cli("explain", "prod", "--at", message)
    assert (answer.code, [asked[0] for asked in fake.asked]) == (2, ["open"])
    assert word in answer.err
    assert message in answer.err


def test_explain_shows_each_gate_when_it_opens_and_the_command(run_cli: RunCli, fake: FakePromoter) -> None:
    out = run_cli("explain", "prod").out
    assert f"prod: release {RELEASE.short_id} (main c0ffeec0ffee, with uncommitted changes) waits (soaking)" in out
    assert "⏸ soak in test for 4h: soaks in test until noon (soaking)" in out
    assert "      opens at 2026-11-24 01:06 +0545\n" in out  # 19:21 in UTC: the tests' time zone is Nepal's
    assert "      ben@example.com: promoter approve prod\n" in out
    assert out.endswith("\ncan start at 2026-11-24 01:06 +0545\n")


def test_explain_as_json_is_the_whole_of_it(run_cli: RunCli, fake: FakePromoter) -> None:
    output = run_cli("explain", "prod", "--json").json
    assert (output["outcome"], output["reason_code"], output["opens_at"]) == ("waiting", "soaking", "2026-11-23T19:20:11.123456Z")
    assert [gate["kind"] for gate in output["gates"]] == ["soak", "approval", "window"]
    assert output["gates"][1]["who"] == ["ben@example.com"]
