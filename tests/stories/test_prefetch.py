"""Images are pulled while a release waits, and nothing else is done."""

from promoter.gates.approval.rule import Approval
from promoter.model.errors import PullError
from promoter.pipeline.model import Strategy
from promoter.promotion.progress import Notice
from tests.harness import Harness, statuses


def waiting(*, prefetch: bool) -> Harness:
    return Harness(gates={"test": (Approval(),)}, prefetch=prefetch)


def notices(shop: Harness) -> list[str]:
    return [event.text for event in shop.events if isinstance(event, Notice) and "ahead" in event.text]


def test_every_host_that_waits_gets_the_images() -> None:
    shop = waiting(prefetch=True)
    test, prod = shop.on_hosts("test", "a", "b"), shop.on_hosts("prod", "c")
    assert statuses(shop.run()) == {"dev": "deployed", "test": "pending", "prod": "not_reached"}
    assert [len(engine.verbs("pull")) for engine in (*test, *prod)] == [1, 1, 1]
    assert not any(engine.boxes for engine in (*test, *prod))
    assert sorted(notices(shop)) == [
        "prod on c: pulled ahead: web",
        "test on a: pulled ahead: web",
        "test on b: pulled ahead: web",
    ]
    shop.run()
    assert [len(engine.verbs("pull")) for engine in test] == [1, 1]  # once is enough


def test_every_node_of_a_swarm_gets_the_images_and_no_service_is_made() -> None:
    shop = Harness(gates={"dev": (Approval(),)}, names={"dev": ()}, prefetch=True, strategy=Strategy.SWARM)
    assert statuses(shop.run()) == {"dev": "pending"}
    assert notices(shop) == ["dev: pulled ahead: web on node-1, node-2, node-3"]
    assert not shop.cluster.units


def test_a_node_that_cannot_pull_ahead_is_reported() -> None:
    shop = Harness(gates={"dev": (Approval(),)}, names={"dev": ()}, prefetch=True, strategy=Strategy.SWARM)
    shop.cluster.refuse(shop.images["web"].digest, "node-2")
    assert statuses(shop.run()) == {"dev": "pending"}
    assert "could not be pulled ahead" in notices(shop)[0]
    assert "on node-2" in notices(shop)[0]


def test_without_it_nothing_is_pulled() -> None:
    shop = waiting(prefetch=False)
    (engine,) = shop.on_hosts("test", "a")
    shop.run()
    assert not engine.verbs("pull")


def test_a_pull_that_fails_is_reported_and_the_release_waits_all_the_same() -> None:
    shop = waiting(prefetch=True)
    (engine,) = shop.on_hosts("test", "a")
    engine.fail("pull", PullError("the registry is away"))
    assert statuses(shop.run("test")) == {"dev": "deployed", "test": "pending"}
    assert notices(shop) == ["test on a: the images could not be pulled ahead: the registry is away"]
