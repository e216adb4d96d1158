"""People read the current state: status, plan and promote report what runs at this moment, not what was recorded last."""

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck
from promoter.gates.window.rule import Window
from promoter.ledger.facts import Vetoed
from promoter.model.errors import CallerError, EngineError, StartError
from promoter.model.verdict import ReasonCode
from promoter.usecases.status import EnvironmentStatus
from tests.fakes.engine import Behaviour
from tests.harness import Harness

CLOSED = Window.model_validate({"freeze": [{"from": "2020-01-01", "to": "2099-01-01"}]})
CHECK = CommandCheck.model_validate({"run": ["./no"]})


def prod(shop: Harness, actor: str = "ann@example.com") -> EnvironmentStatus:
    return next(one for one in shop.api(actor).status().environments if one.name == "prod")


def deployed(*gates: Approval | Window | CommandCheck) -> Harness:
    """One release runs everywhere. The next must pass `gates` in prod."""
    shop = Harness()
    shop.run()
    shop.gates = {"prod": gates}
    return shop


def waiting(*gates: Approval | Window | CommandCheck) -> Harness:
    shop = deployed(*gates)
    shop.newer("two")
    shop.run()
    return shop


def stop(shop: Harness, environment: str = "prod") -> None:
    shop.engine.crash(f"shop-{environment}-web", 137)


def test_status_evaluates_what_waits_now() -> None:
    shop = waiting(Approval(min=1))
    assert prod(shop).waiting.reason_code == ReasonCode.APPROVALS_MISSING
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", "good")
    now = prod(shop)
    assert now.waiting.reason_code == ReasonCode.OK
    assert now.next == f"promoter promote {now.waiting.release[:12]} --to prod"


def test_status_names_the_command_that_opens_the_gate() -> None:
    assert prod(waiting(Approval(min=1))).next.startswith("promoter approve prod")


def test_status_reports_the_last_failure_until_something_succeeds() -> None:
    shop = deployed()
    before = prod(shop)
    shop.newer("two")
    shop.engine.fail("start", StartError("port taken"))
    shop.run()
    [dev, *_] = shop.api().status().environments
    assert dev.failure is not None and "port taken" in " ".join(dev.failure.reasons)
    shop.run()
    assert all(one.failure is None for one in shop.api().status().environments)
    assert before.failure is None


def test_since_does_not_move_when_a_promotion_fails_and_changes_nothing() -> None:
    shop = deployed()
    before = shop.api().status().environments[0].since
    shop.newer("two")
    shop.engine.fail("pull", EngineError("no space"))
    shop.run()
    [dev, *_] = shop.api().status().environments
    assert dev.failure is not None and dev.since == before


def test_status_names_the_service_that_is_down_and_the_repair() -> None:
    shop = deployed()
    stop(shop)
    now = prod(shop)
    assert now.health == "stopped" and any("is stopped" in fault for fault in now.faults)
    assert now.next == "promoter repair prod"


def test_status_reports_a_veto_of_what_runs() -> None:
    shop = deployed()
    shop.api().context.ledger.append(Vetoed(reason="leaks", digests=()), release=prod(shop).release.id)
    assert prod(shop).vetoed == "ann@example.com: leaks"


def test_plan_is_repair_when_a_container_is_stopped() -> None:
    shop = deployed()
    stop(shop)
    planned = shop.api().plan(None, None).environments[-1]
    assert (planned.status, planned.code) == ("pending", ReasonCode.OK)
    assert planned.details["repair"] == ["web is stopped (exit code 137)"]


def test_promote_repairs_what_is_down_while_a_newer_release_waits() -> None:
    shop = waiting(CLOSED)
    recorded = prod(shop).release.id
    stop(shop)
    result = shop.api().promote(None, None, None).environments[-1]
    assert (result.status, result.code) == ("pending", ReasonCode.FROZEN)
    assert any("was repaired" in reason for reason in result.reasons)
    now = prod(shop)
    assert now.health in ("running", "healthy") and now.release.id == recorded


def test_a_repair_that_fails_while_a_newer_release_waits_is_a_failure() -> None:
    shop = waiting(CLOSED)
    stop(shop)
    shop.engine.fail("start", StartError("disk is full"))
    result = shop.api().promote(None, None, None).environments[-1]
    assert result.status == "failed" and any("was not repaired" in reason for reason in result.reasons)


def test_a_check_that_has_not_run_did_not_fail() -> None:
    result = waiting(CHECK, CLOSED).api().plan(None, None).environments[-1]
    assert result.code is ReasonCode.FROZEN
    codes = [gate["reason_code"] for gate in result.details["gates"]]
    assert codes == ["not_checked", "frozen"]


def test_an_engine_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = deployed()

    def away(_: object) -> None:
        raise EngineError("no answer within 10 s")

    monkeypatch.setattr(shop.engine, "find", away)
    [dev, *_] = shop.api().status().environments
    assert dev.health == "unknown" and dev.faults == ("the engine of dev does not answer: no answer within 10 s",)


# ------------------------------------------------------------ logs
def test_logs_of_an_environment_are_those_of_its_containers_now() -> None:
    shop = waiting()
    for container in shop.engine.find({}):
        shop.engine.behave(shop.engine.box(container.id).spec.image.digest, Behaviour(logs=f"line of {container.name}"))
    entries = shop.api().logs("prod")
    assert [entry.source for entry in entries] == ["shop-prod-web (live, running)"]
    assert {entry.environment for entry in entries} == {"prod"}


def test_logs_of_an_unknown_service_name_those_there_are() -> None:
    shop = deployed()
    with pytest.raises(CallerError, match="prod has no container of service 'wbe'") as caught:
        shop.api().logs("prod", "wbe")
    assert caught.value.hint == "containers there are of web"


def test_show_and_logs_without_a_release_take_the_newest() -> None:
    shop = waiting(CLOSED)
    newest = shop.api().context.ledger.refresh().newest()
    assert newest is not None and shop.api().show()["release"]["id"] == newest.release.id
    assert all(entry.environment != "prod" for entry in shop.api().logs())


# ------------------------------------------------------------ inbox
def commands(shop: Harness, actor: str) -> list[str]:
    return [item.command for item in shop.api(actor).inbox().items]


def test_the_inbox_has_the_votes_that_its_owner_can_give() -> None:
    shop = waiting(Approval(min=1, from_=("ben@example.com",)))
    release = prod(shop).waiting.release[:12]
    assert commands(shop, "ben@example.com") == [f"promoter approve prod {release}"]
    assert commands(shop, "eve@example.com") == []


def test_the_inbox_has_releases_whose_gates_are_open_and_what_is_down() -> None:
    shop = waiting(Approval(min=1))
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", "good")
    stop(shop, "dev")
    release = prod(shop).waiting.release[:12]
    assert commands(shop, "eve@example.com") == ["promoter repair dev", f"promoter promote {release} --to prod"]


def test_an_inbox_without_anything_to_do_is_empty() -> None:
    assert commands(deployed(), "eve@example.com") == []
