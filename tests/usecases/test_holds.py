"""Pins, freezes and vetoes, with fakes: what they stop, what they permit, and how they are revoked."""

from typing import Any

import pytest

from promoter.api import Promoter
from promoter.model.errors import CallerError
from promoter.model.verdict import ReasonCode
from tests.documents import value_at
from tests.harness import WEB, WORKER, Harness, statuses


def promote(shop: Harness, release: str | None = None) -> tuple[dict[str, str], ReasonCode]:
    result = shop.api().promote(release, None, None)
    return statuses(result), result.reason_code


def test_a_vetoed_release_enters_nothing_and_goes_on_running_where_it_is() -> None:
    shop = Harness()
    shop.run("dev")
    vetoed = shop.api().veto(shop.release().id[:8], "leaks")
    assert vetoed.runs_in == ("dev",)
    assert promote(shop)[0] == {"dev": "unchanged", "test": "refused", "prod": "not_reached"}
    assert promote(shop)[1] is ReasonCode.VETOED


def test_every_release_with_the_same_image_is_vetoed_with_it() -> None:
    shop = Harness()
    shop.run("dev")
    shop.api().veto(shop.release().id, "leaks")
    shop.source.now = type(shop.source.now)("d" * 40, "main")
    assert statuses(shop.run())["dev"] == "refused"
    shop.newer("fixed")
    assert set(statuses(shop.run()).values()) == {"deployed"}


def test_an_image_that_is_named_alone_bans_only_those_that_hold_it() -> None:
    shop = Harness(services={"web": WEB, "worker": WORKER})
    shop.run("dev")
    shop.api().veto(shop.release().id, "CVE", ["worker"])
    shop.newer("two")
    assert statuses(shop.run())["dev"] == "refused"
    with pytest.raises(CallerError, match="has no service 'wroker'"):
        shop.api().veto(shop.release().id, "CVE", ["wroker"])


def test_a_veto_blocks_a_rollback() -> None:
    shop = Harness()
    shop.run()
    bad = shop.release().id
    shop.newer("two")
    shop.run()
    shop.api().veto(bad, "leaks")
    result = shop.api().rollback("prod", bad, None)
    assert (statuses(result), result.reason_code) == ({"prod": "refused"}, ReasonCode.VETOED)


@pytest.mark.parametrize("where", [None, "test"])
def test_nothing_enters_what_is_frozen_until_it_is_unfrozen(where: str | None) -> None:
    shop = Harness()
    shop.api().freeze(where, "incident")
    first = "dev" if where is None else "test"
    found = statuses(shop.run())
    assert found[first] == "pending"
    assert value_at(shop.api().status().document(), "environments", 1, "frozen") is True
    shop.api().unfreeze(where, "over")
    assert set(promote(shop)[0].values()) <= {"deployed", "unchanged"}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda api: api.unfreeze("prod", "x"), "prod is not frozen"),
        (lambda api: api.unfreeze(None, "x"), "not all environments are frozen"),
        (lambda api: (api.freeze(None, "x"), api.unfreeze("prod", "x")), "because all environments are"),
        (lambda api: api.freeze("prd", "x"), "no environment 'prd'"),
        (lambda api: api.veto("ffff", "x"), "there is no release yet"),
    ],
)
def test_what_cannot_be_gets_a_sentence(ask: Any, message: str) -> None:
    api: Promoter = Harness().api()
    with pytest.raises(CallerError, match=message):
        ask(api)
