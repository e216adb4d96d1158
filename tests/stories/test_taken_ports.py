"""Ports that other containers have are named before anything is built."""

import pytest

from promoter.gates.approval.rule import Approval
from promoter.model.errors import StartError
from promoter.model.verdict import ReasonCode
from promoter.promotion.progress import Notice
from tests.harness import Harness, statuses

PORT = {"ports": [{"target": 80, "published": 18081}]}


def with_port(shop: Harness) -> Harness:
    web = shop.services["web"]
    shop.services["web"] = web.model_validate({**web.model_dump(mode="json", exclude_unset=True), **PORT})
    return shop


def another_pipeline(shop: Harness) -> Harness:
    """Another pipeline on the same engine."""
    other = with_port(Harness(name="hello", names={"staging": ()}))
    other.engine = shop.engine
    other.run()
    return other


def test_the_holder_is_named_and_nothing_is_done() -> None:
    shop = with_port(Harness(names={"dev": ()}))
    other = another_pipeline(shop)
    shop.engine.calls.clear()
    with pytest.raises(StartError) as caught:
        shop.run()
    assert str(caught.value.message) == "dev: port 18081 of service web is used by container hello-staging-web"
    assert (caught.value.hint, caught.value.reason_code) == (
        "stop that container, or give the service another port",
        ReasonCode.START_FAILED,
    )
    assert (shop.engine.verbs("pull", "create", "start"), shop.store.kept) == ([], [])
    shop.engine.stop("hello-staging-web", None)
    result = shop.run()
    assert statuses(result) == {"dev": "deployed"}, result.environments[0].reasons
    assert other.kinds()[-1] == "promoted"


def test_behind_a_gate_a_notice_names_it() -> None:
    shop = with_port(Harness(names={"dev": ()}, gates={"dev": (Approval(),)}))
    another_pipeline(shop)
    assert statuses(shop.run()) == {"dev": "pending"}
    assert "dev: port 18081 of service web is used by container hello-staging-web" in [
        event.text for event in shop.events if isinstance(event, Notice)
    ]


def test_its_own_containers_may_have_the_port() -> None:
    shop = with_port(Harness(names={"dev": ()}))
    shop.run()
    shop.newer("two")
    assert statuses(shop.run()) == {"dev": "deployed"}
