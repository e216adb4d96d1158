"""A newer release that asks for an environment: the earlier ones that wait there are superseded."""

from datetime import timedelta

import pytest

from promoter.gates.approval.rule import Approval
from promoter.ledger.chain import Fact, Kind
from promoter.model.errors import Refused
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.results import EnvironmentResult
from tests.harness import Harness, image, statuses

ANY = Approval()


class Killed(BaseException):
    """The process is killed: nothing is recorded."""


def two_waiting() -> tuple[Harness, Release, Release]:
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run().release
    shop.newer("two")
    new = shop.run().release
    assert old is not None
    assert new is not None
    return shop, old, new


def promote(shop: Harness, release: Release, to: str | None = None) -> EnvironmentResult:
    return shop.api().promote(release.short_id, to, None).environments[-1]


def approve(shop: Harness) -> None:
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)


def requests(shop: Harness, environment: str = "prod") -> list[Fact]:
    return [fact for fact in shop.store.read() if fact.kind is Kind.REQUESTED and fact.environment == environment]


def test_the_request_names_whom_it_supersedes_in_every_report() -> None:
    shop, old, new = two_waiting()
    first, second = requests(shop)
    assert first.body["supersedes"] == []
    assert second.body["supersedes"] == [{"release": old.id, "seq": first.seq}]
    assert progress.Superseded("prod", new.id, (old.id,)) in shop.events


@pytest.mark.parametrize("to", [None, "prod"])
def test_the_earlier_is_refused_with_what_to_do_and_does_not_supersede_the_newer(to: str | None) -> None:
    shop, old, new = two_waiting()
    result = promote(shop, old, to)
    assert (str(result.status), result.code) == ("refused", ReasonCode.SUPERSEDED)
    assert f"promoter promote {new.short_id}" in result.reasons[0]
    assert f"promoter veto {new.short_id}" in result.reasons[0]
    assert len(requests(shop)) == 2
    assert shop.api().case("prod", None).release == new


def test_a_superseded_request_accepts_no_votes() -> None:
    shop, old, new = two_waiting()
    with pytest.raises(Refused) as caught:
        shop.api().case("prod", old.short_id)
    assert caught.value.reason_code == ReasonCode.SUPERSEDED
    assert new.short_id in caught.value.message


def test_a_vote_for_the_earlier_does_not_let_it_in_after_the_newer() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run().release
    assert old is not None
    approve(shop)
    shop.newer("two")
    shop.run()
    assert promote(shop, old, "prod").code == ReasonCode.SUPERSEDED
    approve(shop)
    assert shop.run().environments[-1].status == "deployed"
    assert promote(shop, old, "prod").code == ReasonCode.SUPERSEDED


def test_a_veto_of_the_newer_restores_the_request_of_the_earlier() -> None:
    shop, old, new = two_waiting()
    shop.api().veto(new.short_id, "leaks")
    assert promote(shop, old).code == ReasonCode.APPROVALS_MISSING
    approve(shop)
    assert promote(shop, old).status == "deployed"


def test_a_release_that_is_made_again_is_the_newest() -> None:
    shop, old, _ = two_waiting()
    shop.images["web"] = image("web")
    shop.source.now = old.source
    result = shop.run()
    assert result.release == old
    assert statuses(result)["prod"] == "pending"
    assert shop.api().case("prod", None).release == old


def test_a_run_that_comes_late_does_not_overtake_a_newer_release() -> None:
    """Two runs of a pipeline at once: the older one was slow and asks after the newer one."""
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run("dev").release
    shop.newer("two")
    shop.run()
    assert old is not None
    assert statuses(shop.api().promote(old.short_id, None, None)) == {
        "dev": "unchanged",
        "test": "refused",
        "prod": "not_reached",
    }
    assert shop.engine.box("shop-test-web").spec.image == image("web", "two")


def test_a_person_may_send_an_earlier_release_that_did_not_wait_there() -> None:
    shop = Harness()
    old = shop.run("test").release
    shop.newer("two")
    shop.run()
    assert old is not None
    assert statuses(shop.api().promote(old.short_id, "prod", None)) == {
        "dev": "unchanged",
        "test": "unchanged",
        "prod": "deployed",
    }


def test_a_started_promotion_continues_despite_a_newer_request() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run().release
    assert old is not None
    approve(shop)
    shop.engine.fail("start", Killed())
    with pytest.raises(Killed):
        promote(shop, old)
    shop.clock.advance(timedelta(minutes=1))
    shop.newer("two")
    assert statuses(shop.run())["prod"] == "pending"
    assert promote(shop, old).status == "deployed"


def test_a_rollback_is_never_superseded() -> None:
    shop, old, _ = two_waiting()
    shop.gates = {}
    shop.run()
    shop.newer("three")
    shop.run()
    shop.gates = {"prod": (ANY,)}
    shop.newer("four")
    shop.run()
    result = shop.api().rollback("prod", None, None)
    assert statuses(result) == {"prod": "deployed"}
    assert old is not None


def test_who_waits_learns_of_it() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run().release
    assert old is not None
    late = shop.api()

    def newer_comes() -> None:
        shop.newer("two")
        shop.run()

    shop.clock.meanwhile.append(newer_comes)
    result = late.promote(old.short_id, "prod", timedelta(minutes=5)).environments[-1]
    assert (str(result.status), result.code) == ("refused", ReasonCode.SUPERSEDED)
