"""Ports that other containers and processes use are reported before anything is built."""

from collections.abc import Collection, Mapping

import pytest

from promoter.gates.approval.rule import Approval
from promoter.model.errors import StartError
from promoter.model.verdict import ReasonCode
from promoter.promotion.ports.container import ListeningPort
from promoter.promotion.progress import Notice
from tests.harness import Harness, statuses


def with_port(shop: Harness, **more: str) -> Harness:
    return with_ports(shop, {"target": 80, "published": 18081, **more})


def with_ports(shop: Harness, *ports: Mapping[str, object]) -> Harness:
    web = shop.services["web"]
    shop.services["web"] = web.model_validate({**web.model_dump(mode="json", exclude_unset=True), "ports": list(ports)})
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
        "stop what uses the port, or give the service another port",
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


# ------------------------------------------------------------ processes
NGINX = ListeningPort("nginx (process 1234)", {}, "0.0.0.0", 18081)


USED = "dev: port 18081 of service web is in use by nginx (process 1234)"


def with_process() -> Harness:
    shop = with_port(Harness(names={"dev": ()}))
    shop.engine.listening = [NGINX]
    return shop


def test_a_process_is_named_and_nothing_is_done() -> None:
    shop = with_process()
    with pytest.raises(StartError) as caught:
        shop.run()
    assert caught.value.message == USED
    assert (shop.engine.verbs("pull", "create", "start"), shop.store.kept) == ([], [])
    shop.engine.listening = [NGINX._replace(port=80)]
    assert statuses(shop.run()) == {"dev": "deployed"}


def test_a_container_of_the_environment_itself_that_uses_the_network_of_the_host_may_have_the_port() -> None:
    shop = with_port(Harness(names={"dev": ()}))
    ours = {"dev.promoter.pipeline": "shop", "dev.promoter.environment": "dev"}
    shop.engine.listening = [NGINX._replace(holder="container shop-dev-web", labels=ours)]
    assert statuses(shop.run()) == {"dev": "deployed"}


def test_a_port_of_udp_is_another_port() -> None:
    shop = with_port(Harness(names={"dev": ()}), protocol="udp")
    shop.engine.listening = [NGINX]
    assert statuses(shop.run()) == {"dev": "deployed"}
    both = ({"target": 80, "published": 18081, "protocol": protocol} for protocol in ("udp", "tcp"))
    with pytest.raises(StartError) as caught:
        with_ports(with_process(), *both).run()
    assert caught.value.message.splitlines() == [USED]


def test_a_port_of_another_address_is_free() -> None:
    shop = with_port(Harness(names={"dev": ()}), host_ip="127.0.0.1")
    shop.engine.listening = [NGINX._replace(address="127.0.0.2")]
    assert statuses(shop.run()) == {"dev": "deployed"}


def test_a_container_that_was_started_meanwhile_is_named_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = with_port(Harness(names={"dev": ()}))

    def started(ports: Collection[int]) -> tuple[ListeningPort, ...]:
        monkeypatch.undo()
        another_pipeline(shop)
        return (NGINX,)

    monkeypatch.setattr(shop.engine, "listening_ports", started)
    with pytest.raises(StartError, match="is used by container hello-staging-web"):
        shop.run()
