"""`promoter exec`: what is passed on, where the output goes, and the exit code."""

from datetime import timedelta

import pytest

from promoter.ui.cli import exec as module
from tests.fakes.promoter import FakePromoter, error, execution
from tests.ui.cli.conftest import RunCli


def test_the_command_after_the_dashes_is_passed_on_as_it_is(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("exec", "dev", "web", "--replica", "2", "--timeout", "1h", "--", "ls", "--json", "-f", "x", "--", "y")
    words = ["ls", "--json", "-f", "x", "--", "y"]
    assert fake.asked[-1] == ("execute", "dev", "web", words, 2, timedelta(hours=1), None)
    assert (answer.code, answer.out, answer.err) == (0, "one[2J\n", "two\n")


def test_the_default_is_the_first_replica_and_ten_minutes(run_cli: RunCli, fake: FakePromoter) -> None:
    run_cli("exec", "dev", "web", "--", "true")
    assert fake.asked[-1][-3:] == (1, timedelta(minutes=10), None)


def test_with_json_the_output_goes_to_stderr(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("exec", "dev", "web", "--json", "--", "ls", "-l")
    keys = {"pipeline": "shop", "environment": "dev", "service": "web", "container": "shop-dev-web"}
    assert answer.json == {**keys, "command": ["ls", "-l"], "exit_code": 0, "reason": None, "fact": 1}
    assert answer.err == "one[2J\ntwo\n"


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [(7, None, "the command ended with exit code 7"), (None, "it took too long", "was not seen: it took too long")],
)
def test_any_other_end_is_exit_code_1(
    run_cli: RunCli, fake: FakePromoter, code: int | None, reason: str | None, text: str
) -> None:
    fake.answers["execute"] = execution("dev", "web", ["x"], code, reason)
    answer = run_cli("exec", "dev", "web", "--", "x")
    assert (answer.code, text in answer.err) == (1, True)


def test_an_error_is_text_when_only_the_command_has_the_option_json(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["execute"] = error("no container")
    answer = run_cli("exec", "dev", "web", "--", "x", "--json")
    assert (answer.code, "{" in answer.out, "no container" in answer.err) == (1, False, True)
    assert run_cli("exec", "dev", "web", "--json", "--", "x").json["error"]["message"] == "no container"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (("exec", "dev", "web"), "COMMAND"),
        (("exec", "dev", "web", "--timeout", "soon", "--", "x"), "not a duration"),
        (("exec", "dev", "web", "--timeout", "0s", "--", "x"), "above zero"),
        (("exec", "dev", "web", "--replica", "0", "--", "x"), "--replica"),
    ],
)
def test_a_wrong_call_runs_nothing(run_cli: RunCli, fake: FakePromoter, argv: tuple[str, ...], text: str) -> None:
    answer = run_cli(*argv)
    assert (answer.code, text in answer.err) == (2, True)
    assert not [asked for asked in fake.asked if asked[0] == "execute"]


@pytest.mark.parametrize(("answer", "code"), [("dev", 1), ("prod", 0)])
def test_an_environment_with_gates_asks_for_its_name(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(module, "can_ask", lambda: True)
    monkeypatch.setattr(module, "confirmed_by_name", lambda environment, _: environment == answer)
    assert run_cli("exec", "prod", "web", "--", "x").code == code
    assert run_cli("exec", "prod", "web", "--yes", "--", "x").code == 0
    assert run_cli("exec", "dev", "web", "--", "x").code == 0
    assert len([asked for asked in fake.asked if asked[0] == "execute"]) == 3 - code
