"""Rolling back with gates: which gates the file lets a rollback skip, and which remain."""

from datetime import timedelta

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck
from promoter.gates.override import Rollback
from promoter.gates.registry import Gate
from promoter.gates.soak import Soak
from promoter.gates.window.rule import Window
from promoter.ledger.chain import Kind
from promoter.ledger.facts import Frozen, Vetoed
from promoter.model.verdict import ReasonCode
from promoter.promotion.results import EnvironmentResult
from tests.harness import Harness

SOAK = Soak.model_validate({"in": "test", "for": "4h"})
CLOSED = Window.model_validate({"freeze": [{"from": "2020-01-01", "to": "2099-01-01"}]})
CHECK = CommandCheck.model_validate({"run": ["./no"]})


def two_releases(*gates: Gate, skip: tuple[str, ...] | None = None) -> Harness:
    """Two releases went through prod before it had gates."""
    shop = Harness()
    shop.run()
    shop.newer("two")
    shop.run()
    shop.gates = {"prod": gates}
    shop.rollback = Rollback.model_validate({"skip": skip})
    return shop


def back(shop: Harness, actor: str = "ann@example.com") -> EnvironmentResult:
    return shop.api(actor).rollback("prod", None, None).environments[0]


def test_without_a_policy_a_rollback_passes_by_every_gate() -> None:
    assert back(two_releases(SOAK, CLOSED, CHECK, Approval(min=2))).status == "deployed"


@pytest.mark.parametrize("skip", [(), ("window",), ("approval",)])
def test_soak_never_blocks_a_rollback(skip: tuple[str, ...]) -> None:
    assert back(two_releases(SOAK, skip=skip)).status == "deployed"


def test_a_window_that_is_not_skipped_does() -> None:
    shop = two_releases(SOAK, CLOSED, skip=("soak",))
    result = back(shop)
    assert (result.status, result.code) == ("pending", ReasonCode.FROZEN)
    shop.rollback = Rollback.model_validate({"skip": ("soak", "window")})
    assert back(shop).status == "deployed"


@pytest.mark.parametrize(("skip", "status"), [(None, "deployed"), (("window",), "deployed"), (("soak",), "pending")])
def test_a_freeze_counts_where_windows_do(skip: tuple[str, ...] | None, status: str) -> None:
    shop = two_releases(skip=skip)
    shop.api().context.ledger.append(Frozen(reason="holidays"))
    assert back(shop).status == status


def test_a_pin_never_does_and_a_veto_always() -> None:
    shop = two_releases(skip=())
    earlier = next(iter(shop.api().context.ledger.state.releases))
    shop.api().pin("prod", "leave it")
    assert back(shop).status == "deployed"
    shop = two_releases()
    shop.api().context.ledger.append(Vetoed(reason="leaks", digests=()), release=earlier)
    result = shop.api().rollback("prod", earlier[:12], None).environments[0]
    assert (result.status, result.code) == ("refused", ReasonCode.VETOED)


def test_approvals_that_are_not_skipped_are_asked_for_counted_and_used_up() -> None:
    shop = two_releases(Approval(), skip=("soak", "window"))
    result = back(shop)
    assert (result.status, result.code) == ("pending", ReasonCode.APPROVALS_MISSING)
    api = shop.api("ben@example.com")
    fact = api.vote(api.case("prod", None), "approve", "go back")
    assert back(shop).status == "deployed"
    started = [f for f in shop.store.read() if f.kind is Kind.STARTED][-1]
    assert started.body["approvals"] == [fact.digest]
    assert shop.api().context.ledger.state.environment("prod").pinned is not None


def test_a_rollback_that_waits_does_not_pin_yet() -> None:
    shop = two_releases(Approval(), skip=())
    back(shop)
    shop.clock.advance(timedelta(hours=1))
    assert shop.api().context.ledger.state.environment("prod").pinned is None
