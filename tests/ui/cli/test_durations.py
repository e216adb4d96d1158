"""Starting jobs and importing reviews, as a person uses them: requests, output and exit codes."""

import json

import pytest

from promoter.model.errors import CallerError, ForgeError
from tests.fakes.promoter import RELEASE, FakePromoter
from tests.ui.cli.conftest import RunCli

APPROVE = ("approve", "prod", "--yes")


def verbs(fake: FakePromoter) -> list[object]:
    return [asked[0] for asked in fake.asked if asked[0] != "open"]


def test_a_vote_without_dispatch_starts_nothing(run_cli: RunCli, fake: FakePromoter) -> None:
    run_cli(*APPROVE)
    assert verbs(fake) == ["case", "vote"]


@pytest.mark.parametrize(
    ("setting", "flags", "target"),
    [
        ("", ("--dispatch",), "event:promoter"),
        ("workflow:promote.yml@main", ("--dispatch",), "workflow:promote.yml@main"),
        ("pipeline:main", (), "pipeline:main"),
        ("pipeline:main", ("--no-dispatch",), None),
    ],
)
def test_the_setting_selects_what_is_started(
    run_cli: RunCli, fake: FakePromoter, monkeypatch: pytest.MonkeyPatch, setting: str, flags: tuple[str, ...], target: str | None
) -> None:
    monkeypatch.setenv("PROMOTER_DISPATCH", setting)
    answer = run_cli(*APPROVE, *flags)
    assert answer.code == 0
    if target is None:
        assert verbs(fake) == ["case", "vote"]
    else:
        assert verbs(fake) == ["starter", "case", "vote", "still_closed", "dispatch"]
        assert ("dispatch", target) in fake.asked
        assert f"started {target} at GitHub, acme/shop; it continues the promotion" in answer.out and "next:" not in answer.out


def test_a_missing_token_is_reported_before_the_vote(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["starter"] = CallerError("there is no token", hint="set GITHUB_TOKEN")
    answer = run_cli(*APPROVE, "--dispatch")
    assert (answer.code, verbs(fake)) == (2, ["starter"]) and "set GITHUB_TOKEN" in answer.err


def test_it_waits_for_what_is_missing_still(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["still_closed"] = ("approval of 2 people: 1 of 2",)
    answer = run_cli(*APPROVE, "--dispatch")
    assert (answer.code, "dispatch" in verbs(fake)) == (0, False)
    assert "event:promoter was not started: still missing: approval of 2 people: 1 of 2" in answer.out
    assert "next: " not in answer.out


def test_a_vote_is_kept_when_the_start_fails(run_cli: RunCli, fake: FakePromoter) -> None:
    fake.answers["dispatch"] = ForgeError("GitHub is\x1b down", hint="later")
    answer = run_cli(*APPROVE, "--dispatch")
    assert answer.code == 1 and "approved by" in answer.out
    assert "vote recorded; starting event:promoter failed: GitHub is down\n  later" in answer.err
    assert f"next: promoter promote {RELEASE.short_id} --to prod" in answer.err


@pytest.mark.parametrize(("error", "code", "done"), [(None, 0, True), (ForgeError("down"), 1, False)])
def test_as_json_it_is_the_fact_and_whether_it_was_started(
    run_cli: RunCli, fake: FakePromoter, error: ForgeError | None, code: int, done: bool
) -> None:
    fake.answers["dispatch"] = error
    answer = run_cli("--json", *APPROVE, "--dispatch")
    assert (answer.code, answer.json["kind"], answer.json["dispatched"]) == (code, "approved", done)
    assert "dispatched" not in run_cli("--json", *APPROVE).json


def test_reviews_are_imported(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("reviews", "prod", "3f", "--as", "production")
    assert (answer.code, fake.asked[-1]) == (0, ("import_reviews", "prod", "3f", "production"))
    assert "approved by ben@example.com, reviewed on https://ci/1, fact 1" in answer.out
    assert "mallory may not vote here" in answer.out
    assert f"next: promoter promote {RELEASE.short_id} --to prod" in answer.out
    document = json.loads(run_cli("--json", "reviews", "prod").out)
    assert (document["run"], len(document["recorded"]), document["passed_over"][0][:7]) == ("https://ci/1", 1, "mallory")


def test_promote_imports_them_first(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("--json", "promote", "--to", "prod", "--reviews")
    assert verbs(fake) == ["waits_there", "import_reviews", "promote"] and answer.json["decision"] == "complete"
    fake.asked.clear()
    fake.answers["waits_there"] = False
    assert "does not wait in prod" in run_cli("promote", "3f", "--to", "prod", "--reviews").err
    assert verbs(fake) == ["waits_there", "promote"]


def test_reviews_are_about_one_environment(run_cli: RunCli, fake: FakePromoter) -> None:
    answer = run_cli("promote", "--reviews")
    assert (answer.code, fake.asked) == (2, []) and "promoter promote --to ENV --reviews" in answer.err
