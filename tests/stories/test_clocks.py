"""A clock that jumps: facts keep their order, a lease does not last for years, and no gate opens before its time."""

from datetime import timedelta

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.soak import Soak
from promoter.ledger.chain import Fact, check_chain
from tests.harness import Harness, statuses

HOURS = timedelta(hours=5)


@pytest.mark.parametrize("jump", [-HOURS, -timedelta(days=365), HOURS, timedelta(days=365 * 20)], ids=str)
def test_between_two_promotions_it_changes_nothing(jump: timedelta) -> None:
    shop = Harness()
    shop.run()
    shop.clock.advance(jump)
    shop.newer("two")
    assert set(statuses(shop.run()).values()) == {"deployed"}
    assert set(statuses(shop.run()).values()) == {"unchanged"}
    facts = [fact for fact in check_chain(shop.store.lines()) if isinstance(fact, Fact)]
    assert [fact.seq for fact in facts] == list(range(1, len(shop.store.kept) + 1))
    assert shop.api().status().environments[0].release == shop.release()


def test_a_soak_that_began_in_the_future_has_not_passed() -> None:
    shop = Harness(gates={"prod": (Soak.model_validate({"in": "test", "for": "1h"}),)})
    shop.run()
    shop.clock.advance(-timedelta(hours=3))
    assert statuses(shop.run())["prod"] == "pending"
    shop.clock.advance(timedelta(hours=3, minutes=59))
    assert statuses(shop.run())["prod"] == "pending"
    shop.clock.advance(timedelta(minutes=2))
    assert statuses(shop.run())["prod"] == "deployed"


def test_an_approval_that_has_run_out_stays_so_until_the_clock_is_right() -> None:
    shop = Harness(gates={"prod": (Approval.model_validate({"expires": "1h"}),)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.clock.advance(timedelta(hours=2))
    assert statuses(shop.run())["prod"] == "pending"


def test_a_lease_of_a_clock_that_was_ahead_does_not_block_later_runs() -> None:
    shop = Harness()
    shop.store.acquire("dev", "another run", timedelta(minutes=1), shop.clock.now() + timedelta(days=400))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    shop.newer("two")
    shop.store.acquire("dev", "another run", timedelta(minutes=1), shop.clock.now())
    assert statuses(shop.run("dev")) == {"dev": "locked"}
