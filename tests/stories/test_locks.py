"""Who has which lock: runs wait for each other if configured, and people can list the locks."""

from datetime import timedelta

import pytest

from promoter.ledger.store import Lease
from promoter.model.errors import LedgerError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.results import Status
from promoter.ui.reports.locks import locks
from promoter.ui.reports.view import View
from tests.harness import Harness, statuses

MINUTE = timedelta(minutes=1)
OTHER = "ben@example.com on build-7 (0a1b2c3d), process 12 begun at 34, https://ci.example.com/runs/5"


@pytest.fixture
def shop() -> Harness:
    return Harness()


def held(shop: Harness, environment: str = "test", ttl: timedelta = timedelta(hours=1)) -> None:
    shop.store.acquire(environment, OTHER, ttl, shop.clock.now())


def test_a_locked_environment_ends_a_run_at_once_without_wait(shop: Harness) -> None:
    held(shop)
    result = shop.run()
    assert statuses(result) == {"dev": "deployed", "test": "locked", "prod": "not_reached"}
    assert result.environments[1].code is ReasonCode.LOCK_HELD
    assert OTHER in result.environments[1].reasons[0]


def test_waiting_for_a_lock_ends_with_its_time(shop: Harness) -> None:
    held(shop)
    started = shop.clock.monotonic()
    result = shop.api("ci@example.com").run(None, None, MINUTE)
    assert statuses(result)["test"] == "locked"
    assert 60 <= shop.clock.monotonic() - started < 75
    output = [event for event in shop.events if isinstance(event, progress.Waiting)]
    assert [(event.environment, event.reasons) for event in output] == [("test", (f"another run holds test: {OTHER}",))]


def test_a_released_lock_is_acquired_and_everything_is_evaluated_again(shop: Harness) -> None:
    shop.run("dev")
    held(shop)
    taken = shop.store.held()[0]

    def give_back() -> None:
        shop.store.release(Lease(taken.environment, taken.owner, taken.token))
        shop.api("ben@example.com").pin("test", "mine for now")

    shop.clock.meanwhile = [lambda: None, give_back]
    result = shop.api("ci@example.com").promote(None, "test", None, MINUTE)
    assert result.environments[-1].status in (Status.REFUSED, Status.PENDING)
    assert result.environments[-1].code is ReasonCode.PINNED


def test_a_lease_that_runs_out_meanwhile_is_taken_over(shop: Harness) -> None:
    held(shop, ttl=timedelta(seconds=30))
    result = shop.api("ci@example.com").run(None, None, MINUTE)
    assert statuses(result)["test"] == "deployed"
    started = [fact for fact in shop.store.read() if fact.kind == "started" and fact.environment == "test"][-1]
    assert started.body["lease"]["took_over"] == OTHER


def test_a_finished_deployment_is_reported_although_the_lease_release_fails(
    shop: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(lease: Lease) -> None:
        raise LedgerError("the server is away")

    monkeypatch.setattr(shop.store, "release", lost)
    result = shop.run("dev")
    assert (statuses(result), str(result.decision)) == ({"dev": "deployed"}, "complete")
    assert [held.environment for held in shop.store.held()] == ["dev"]


def test_a_rollback_waits_too(shop: Harness) -> None:
    shop.run()
    shop.newer("two")
    shop.run()
    held(shop, "prod", timedelta(seconds=30))
    assert statuses(shop.api("ana@example.com").rollback("prod", None, None)) == {"prod": "locked"}
    assert statuses(shop.api("ana@example.com").rollback("prod", None, None, MINUTE)) == {"prod": "deployed"}


def test_people_see_who_holds_what_and_what_is_stale(shop: Harness) -> None:
    api = shop.api("ana@example.com")
    assert locks(api.locks(), View(shop.clock.now())) == "no environment is locked"
    held(shop, "test")
    held(shop, "dev", timedelta(seconds=30))
    shop.clock.advance(MINUTE)
    report = api.locks()
    assert [(lock["environment"], lock["owner"], lock["stale"]) for lock in report.document()["locks"]] == [
        ("dev", OTHER, True),
        ("test", OTHER, False),
    ]
    dev, test = locks(report, View(shop.clock.now(), verbose=True)).splitlines()[1:]
    assert "stale" in dev and OTHER in test and "stale" not in test
