"""`explain`: every gate with its verdict, who opens it, when, and with which command. Nothing is changed."""

from datetime import UTC, datetime, timedelta

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck
from promoter.gates.next_opening import opens_together
from promoter.gates.override import Override
from promoter.gates.soak import Soak
from promoter.gates.window.rule import Window
from promoter.model.errors import CallerError, SecretError
from promoter.model.secrets import handle
from promoter.model.verdict import ReasonCode
from promoter.ui.reports.explain import explained
from promoter.ui.reports.view import View
from promoter.usecases.explain import Explanation
from promoter.usecases.openings import Opening
from tests.harness import Harness

VOTE = Approval.model_validate({"min": 2, "from": ["lead", "eve@example.com"], "exclude": ["requester"], "expires": "24h"})
SOAK = Soak.model_validate({"in": "test", "for": "4h"})
HOURS = Window(allow=("mon-fri 09:00-17:00",))  # the fake clock starts on Monday at 18:00 UTC


@pytest.fixture
def shop() -> Harness:
    made = Harness(gates={"prod": (SOAK, HOURS, VOTE)}, roles={"lead": ("ann@example.com", "ben@example.com")})
    made.run()
    return made


def explain(shop: Harness, at: datetime | None = None, *, run_checks: bool = False, release: str | None = None) -> Explanation:
    return shop.api("someone@example.com").explain("prod", release, at, run_checks=run_checks)


def opening(fields: Explanation, kind: str) -> Opening:
    return next(one for one in fields.gates if one.result.kind == kind)


def test_each_gate_has_its_verdict_who_opens_it_when_and_how(shop: Harness) -> None:
    output = explain(shop)
    assert (str(output.outcome), output.code) == ("waiting", ReasonCode.SOAKING)
    assert [(one.result.kind, str(one.result.verdict.code)) for one in output.gates] == [
        ("soak", "soaking"),
        ("window", "outside_window"),
        ("approval", "approvals_missing"),
    ]
    soak, window, vote = output.gates
    assert (soak.who, soak.command) == ((), None)
    since = shop.api().context.ledger.state.environment("test").since
    assert since is not None
    assert soak.result.verdict.opens_at == since + timedelta(hours=4)
    assert window.result.verdict.opens_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert vote.who == ("ben@example.com", "eve@example.com")  # ann asked for it
    assert vote.command == f"promoter approve prod {output.release.short_id}"


def test_who_has_voted_is_not_asked_again(shop: Harness) -> None:
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    assert opening(explain(shop), "approval").who == ("eve@example.com",)


def test_the_time_is_right_when_soak_and_window_are_open_together(shop: Harness) -> None:
    assert explain(shop).opens_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    shop.gates = {"prod": (Soak.model_validate({"in": "test", "for": "20h"}), HOURS, VOTE)}
    output = explain(shop)
    assert output.opens_at == opening(output, "soak").result.verdict.opens_at
    shop.gates = {"prod": (Soak.model_validate({"in": "test", "for": "100h"}), HOURS)}
    friday_night = explain(shop)
    assert friday_night.opens_at == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def test_at_another_time_it_is_evaluated_for_that_time(shop: Harness) -> None:
    output = explain(shop, datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    assert [str(one.result.verdict.outcome) for one in output.gates] == ["passed", "passed", "waiting"]
    assert output.opens_at is None
    for who in ("ben@example.com", "eve@example.com"):
        api = shop.api(who)
        api.vote(api.case("prod", None), "approve", None)
    assert explain(shop, datetime(2026, 11, 24, 10, 0, tzinfo=UTC)).code == ReasonCode.OK
    later = explain(shop, datetime(2026, 11, 25, 10, 0, tzinfo=UTC))
    assert later.code == ReasonCode.APPROVAL_EXPIRED


def test_explain_at_an_earlier_time_uses_the_facts_of_that_time(shop: Harness) -> None:
    shop.clock.advance(timedelta(days=1))
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "reject", "no")
    assert explain(shop).code == ReasonCode.REJECTED
    assert explain(shop, shop.clock.now() - timedelta(hours=1)).code != ReasonCode.REJECTED


def test_it_changes_nothing_and_asks_no_engine(shop: Harness) -> None:
    facts, calls = shop.kinds(), len(shop.engine.calls)
    shop.gates = {"prod": (CommandCheck(run=("ready",)), VOTE)}
    output = explain(shop)
    assert (shop.kinds(), len(shop.engine.calls), len(shop.probes.commands)) == (facts, calls, 0)
    check = output.gates[0]
    assert "has not run yet: it runs in `promote`, once the other gates pass" in check.result.verdict.sentence
    assert check.command == f"promoter promote {output.release.short_id} --to prod"


def test_run_checks_executes_the_checks(shop: Harness) -> None:
    shop.gates = {"prod": (CommandCheck(run=("ready",)),)}
    shop.probes.result("ready", 0)
    assert str(explain(shop, run_checks=True).outcome) == "passed"
    assert len(shop.probes.commands) == 1


def test_pins_freezes_and_vetoes_are_explained(shop: Harness) -> None:
    shop.gates = {}
    shop.run()
    shop.newer("two")
    shop.run("dev")
    api = shop.api("eve@example.com")
    api.pin("prod", "watched")
    api.freeze(None, "holidays")
    output = explain(shop)
    assert [(one.result.kind, one.command) for one in output.gates] == [
        ("needs", f"promoter promote {output.release.short_id} --to test"),
        ("pin", "promoter unpin prod --reason TEXT"),
        ("freeze", "promoter unfreeze --reason TEXT"),
    ]
    assert "holidays (eve@example.com, 2026-11-23" in opening(output, "freeze").result.verdict.sentence
    api.freeze("prod", "incident")
    assert opening(explain(shop), "freeze").command == "promoter unfreeze prod --reason TEXT"
    api.veto(output.release.short_id, "leaks")
    vetoed = explain(shop)
    assert (str(vetoed.outcome), vetoed.code) == ("refused", ReasonCode.VETOED)
    assert opening(vetoed, "veto").command is None
    assert "leaks (eve@example.com, " in opening(vetoed, "veto").result.verdict.sentence


def test_an_override_without_review_is_explained_with_the_command(shop: Harness) -> None:
    shop.override = Override.model_validate({"from": ["eve@example.com"], "grade": "asserted"})
    shop.run()
    api = shop.api("eve@example.com")
    api.override(api.case("prod", None), "down")
    shop.run()
    shop.newer("two")
    shop.run()
    review = opening(explain(shop), "review")
    assert (review.result.verdict.code, review.command) == (ReasonCode.REVIEW_OVERDUE, "promoter review prod")


def test_nothing_to_do_where_the_release_runs(shop: Harness) -> None:
    shop.gates = {}
    shop.run()
    output = explain(shop)
    assert (output.lives_there, output.code) == (True, ReasonCode.NOTHING_TO_DO)


def test_gates_are_not_evaluated_for_what_runs_there(shop: Harness) -> None:
    """F11: a used approval and a veto on a release that runs were shown as if it still waited."""
    shop.gates = {}
    shop.run()
    shop.gates = {"prod": (VOTE,)}
    shop.api("eve@example.com").freeze("prod", "holidays")
    output = explain(shop)
    assert (output.lives_there, str(output.outcome), output.gates) == (True, "passed", ())
    assert "nothing waits" in explained(output, View(shop.clock.now()))


def test_without_the_secrets_it_is_known_that_nothing_waits(shop: Harness) -> None:
    shop.gates = {}
    shop.services["web"] = shop.services["web"].model_copy(update={"environment": {"A": handle("TOKEN")}})
    shop.secrets.values["TOKEN"] = "abcd1234"
    shop.run()
    del shop.secrets.values["TOKEN"]
    output = explain(shop)
    assert (output.lives_there, output.code) == (True, ReasonCode.NOTHING_TO_DO)
    assert output.note == "secret TOKEN is missing here: assumed to be as it was recorded"


def test_without_the_secrets_the_plan_that_was_requested_is_evaluated(shop: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("ben@example.com", "eve@example.com"):
        api = shop.api(who)
        api.vote(api.case("prod", None), "approve", None)

    def no_secrets(*_: object) -> str:
        raise SecretError("the secret TOKEN is not here")

    shop.services["web"] = shop.services["web"].model_copy(update={"environment": {"A": "[[secret TOKEN]]"}})
    monkeypatch.setattr("promoter.promotion.admission.controller.make_plan", no_secrets)
    output = explain(shop)
    assert "the secret TOKEN is not here" in (output.note or "")
    assert str(opening(output, "approval").result.verdict.outcome) == "passed"
    shop.newer("two")
    monkeypatch.undo()
    shop.run("dev")
    monkeypatch.setattr("promoter.promotion.admission.controller.make_plan", no_secrets)
    other = explain(shop, release=shop.release().short_id)
    assert "it is unknown which votes count" in (other.note or "")


def test_it_names_the_release_that_waits_before_the_newest(shop: Harness) -> None:
    waiting = shop.release()
    shop.newer("two")
    newest = shop.run("dev").release
    assert newest is not None
    assert explain(shop).release == waiting
    assert explain(shop, release=newest.short_id).release == newest


def test_unknown_names_are_caller_errors(shop: Harness) -> None:
    with pytest.raises(CallerError, match="no environment 'produ'"):
        shop.api().explain("produ", None, None, run_checks=False)
    with pytest.raises(CallerError, match="no release begins with"):
        explain(shop, release="ffff")


def test_gates_that_never_open_together_have_no_opening(shop: Harness) -> None:
    never = Window.model_validate({"freeze": [{"from": "2020-01-01", "to": "2099-01-01"}]})
    shop.gates = {"prod": (SOAK, never)}
    assert explain(shop).opens_at is None
    one, other = Window(allow=("mon 09:00-10:00",)), Window(allow=("tue 09:00-10:00",))
    controller = explain(shop)
    assert controller.opens_at is None
    shop.gates = {"prod": (one, other)}
    assert explain(shop).opens_at is None
    assert opens_together.__doc__
