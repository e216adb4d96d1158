"""Promotions to a swarm, with a fake one: all services or none, kills, secrets, pulls, and changes from outside."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from promoter.gates.checks import ContainerCheck
from promoter.model.errors import NotInRegistry, RegistryError, StartError
from promoter.model.secrets import handle
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.deploy import Deploy, UpdateConfig
from promoter.pipeline.compose.service import Dependency, FileGrant
from promoter.pipeline.model import OnFailure, Strategy
from promoter.promotion.progress import Notice
from promoter.promotion.results import EnvironmentResult, RunResult, exit_code
from promoter.usecases.drift import DRIFT_FOUND
from tests.fakes.cluster import CHANGES, Unit
from tests.fakes.engine import Behaviour
from tests.harness import WEB, WORKER, Harness, image, statuses

TWO = {"web": WEB.model_copy(update={"deploy": Deploy(replicas=2)}), "worker": WORKER}
MIGRATE = (ContainerCheck(service="web", command=("migrate",)),)
TOKEN = FileGrant(source="token", target="/run/secrets/token")


class Killed(BaseException):
    """The process was killed here."""


def in_swarm(**fields: Any) -> Harness:
    return Harness(**{"services": dict(TWO), "strategy": Strategy.SWARM, **fields})


def promoted(**fields: Any) -> Harness:
    """Return an application of which one release was promoted."""
    shop = in_swarm(**fields)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    return shop


def only(result: RunResult) -> EnvironmentResult:
    return result.environments[0]


def unit(shop: Harness, service: str = "web") -> Unit:
    return shop.cluster.unit(f"shop-dev-{service}")


def running(shop: Harness, service: str = "web") -> set[str]:
    """Return the digests of the tasks that run, all of one service."""
    tasks = [task for task in unit(shop, service).tasks if task.wanted]
    assert all(task.state == "running" for task in tasks), tasks
    return {str(task.setup.spec.image.digest) for task in tasks}


def bad(shop: Harness, word: str = "two") -> str:
    """Move to a release of web whose tasks never become healthy."""
    shop.cluster.behave(shop.newer(word).digest, Behaviour(health="unhealthy"))
    return word


def digest(word: str = "one") -> set[str]:
    """Return the digest of the images with this word, of any service."""
    return {str(image("any", word).digest)}


def with_token(shop: Harness) -> None:
    service = shop.services["web"].model_copy(update={"secrets": (TOKEN,), "environment": {"TOKEN": handle("token")}})
    shop.services = {**shop.services, "web": service}
    shop.contents = {"secret:token": handle("token")}
    shop.secrets.values["token"] = "first"


def when(shop: Harness, comes: Callable[[], bool], act: Callable[[], object]) -> None:
    """Do something during the first wait of a run in which a condition holds."""

    def wait_for() -> None:
        if comes():
            act()
        else:
            shop.clock.meanwhile.append(wait_for)

    shop.clock.meanwhile = [wait_for]


# ---------------------------------------------------------------- success
def test_a_release_is_promoted_once() -> None:
    shop = promoted()
    assert (running(shop), running(shop, "worker")) == (digest(), digest())
    assert [task.state for task in unit(shop).tasks] == ["running"] * 2
    assert not shop.engine.boxes
    assert not [one for one in shop.cluster.units.values() if one.setup.kind != "service"]
    (fact,) = [fact.body for fact in shop.store.read() if fact.kind == "promoted"]
    assert fact["services"]["web"]["containers"] == [unit(shop).id]
    assert fact["engine"]["fingerprint"] == shop.cluster.fingerprint
    made = len(shop.cluster.calls)
    assert shop.run("dev").reason_code is ReasonCode.NOTHING_TO_DO
    assert len(shop.cluster.calls) == made
    assert shop.api().status().environments[0].health in ("healthy", "running")
    assert shop.api().drift().exit_code == 0


def test_a_login_that_ends_soon_is_reported() -> None:
    shop = in_swarm()
    shop.cluster.login = "the login is valid for hours only"
    shop.run("dev")
    assert "dev: the login is valid for hours only" in [event.text for event in shop.events if isinstance(event, Notice)]


def test_only_what_has_changed_is_updated() -> None:
    shop = promoted()
    version = unit(shop, "worker").version
    shop.newer("two")
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert running(shop) == digest("two")
    assert unit(shop, "worker").version == version
    assert shop.cluster.verbs("apply")[2:] == [("apply", "shop-dev-web")]


def test_a_rollback_returns_to_the_earlier_release() -> None:
    shop = promoted()
    shop.newer("two")
    shop.run("dev")
    assert statuses(shop.api().rollback("dev", None, None)) == {"dev": "deployed"}
    assert running(shop) == digest()


def test_a_service_that_the_file_has_no_longer_is_removed() -> None:
    shop = promoted()
    shop.services = {"web": TWO["web"]}
    shop.newer("two")
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert [one.name for one in shop.cluster.units.values()] == ["shop-dev-web"]


def test_a_node_that_is_lost_during_an_update_is_replaced() -> None:
    shop = promoted()
    shop.newer("two")
    when(shop, lambda: unit(shop).update == "updating", lambda: shop.cluster.lose("node-1"))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert "node-1" not in {task.node for task in unit(shop).tasks if task.wanted}


def test_an_update_does_not_wait_for_a_task_on_a_lost_node() -> None:
    shop = promoted()
    shop.newer("two")

    def fresh() -> list[str]:
        tasks = unit(shop).tasks[unit(shop).since :] if unit(shop).update == "updating" else []
        return [task.node for task in tasks if task.state in ("preparing", "starting")]

    when(shop, lambda: bool(fresh()), lambda: shop.cluster.lose(fresh()[0]))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert running(shop) == digest("two")
    assert shop.cluster.verbs("again") == [("again", "shop-dev-web")]


# ---------------------------------------------------------------- failures
def test_a_bad_release_returns_every_service_as_one_unit() -> None:
    shop = promoted()
    shop.services["web"] = TWO["web"].model_copy(update={"depends_on": {"worker": Dependency()}})
    _downfall(shop)
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "rolled_back"}, ReasonCode.UPDATE_PAUSED)
    assert exit_code(result.decision) == 6
    assert any("unhealthy container" in reason for reason in only(result).reasons)
    assert (running(shop), running(shop, "worker")) == (digest(), digest())
    assert ("revert", "shop-dev-worker", "quickly") in shop.cluster.calls  # it was already changed
    assert {one.setup.promotion for one in shop.cluster.units.values()} == {unit(shop).setup.promotion}
    assert shop.api().drift().exit_code == 0


def test_a_service_that_only_the_failed_release_had_is_removed() -> None:
    shop = promoted(services={"worker": WORKER})
    shop.services = {
        "cache": WORKER,
        "web": TWO["web"].model_copy(update={"depends_on": {"cache": Dependency()}}),
        "worker": WORKER,
    }
    shop.images["cache"] = image("cache")
    shop.offer(image("cache"))
    shop.cluster.behave(shop.newer("two").digest, Behaviour(exit_code=1))
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}, only(result).reasons
    assert ("apply", "shop-dev-cache") in shop.cluster.calls
    assert [one.name for one in shop.cluster.units.values()] == ["shop-dev-worker"]


def test_a_first_release_that_fails_leaves_nothing() -> None:
    shop = in_swarm()
    shop.cluster.behave(image("web").digest, Behaviour(exit_code=1))
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "failed"}, ReasonCode.START_FAILED)
    assert not shop.cluster.units


def test_the_return_is_as_quick_as_the_file_has_it_and_ends_with_the_recorded_pace() -> None:
    quick = Deploy(replicas=2, rollback_config=UpdateConfig(parallelism=0))
    shop = promoted(services={"web": WEB.model_copy(update={"deploy": quick})})
    kept = dict(unit(shop).setup.settings)
    bad(shop)
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert shop.cluster.verbs("revert") == [("revert", "shop-dev-web", "quickly"), ("revert", "shop-dev-web")]
    assert unit(shop).setup.settings == kept


def test_what_cannot_be_restored_is_reported_and_repaired_later() -> None:
    shop = promoted()
    bad(shop)
    shop.cluster.fail("revert", StartError("the swarm refuses it"))
    result = shop.run("dev")
    assert (statuses(result), exit_code(result.decision)) == ({"dev": "failed"}, 1)
    assert any("the swarm refuses it" in reason for reason in only(result).reasons)
    assert [fact for fact in shop.store.read() if fact.kind == "failed"][-1].body["left"] is True
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert running(shop) == digest()


def test_on_failure_stop_leaves_the_services_as_they_are() -> None:
    shop = promoted(on_failure=OnFailure.STOP)
    bad(shop)
    result = shop.run("dev")
    assert statuses(result) == {"dev": "failed"}
    assert (unit(shop).update, shop.cluster.verbs("revert")) == ("paused", [])
    assert unit(shop).setup.spec.image == image("web", "two")


def test_a_swarm_that_is_lost_records_no_failure() -> None:
    shop = promoted()
    shop.newer("two")
    when(shop, lambda: unit(shop).update == "updating", lambda: setattr(shop.cluster, "cut", True))
    result = shop.run("dev")
    assert (statuses(result), only(result).reasons[0].endswith("the connection was cut")) == ({"dev": "failed"}, True)
    assert "failed" not in shop.kinds("dev")
    shop.cluster.cut = False
    shop.clock.advance(timedelta(minutes=5))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert running(shop) == digest("two")


# ---------------------------------------------------------------- kills
def _upgrade(shop: Harness) -> None:
    """Move to another release, of which both services differ."""
    shop.images["worker"] = image("worker", "worker two")
    shop.offer(image("worker", "worker two"))
    shop.newer("two")


def _downfall(shop: Harness) -> None:
    """Move to another release whose second service fails."""
    _upgrade(shop)
    bad(shop)


def _prepared(move: Callable[[Harness], object]) -> Harness:
    shop = in_swarm(before=MIGRATE)
    with_token(shop)
    shop.services["web"] = shop.services["web"].model_copy(update={"depends_on": {"worker": Dependency(restart=True)}})
    shop.run("dev")
    shop.secrets.values["token"] = "second"
    move(shop)
    return shop


def _changes(move: Callable[[Harness], object]) -> int:
    """Return how many changes the run makes in the swarm if no one kills it."""
    shop = _prepared(move)
    before = len(shop.cluster.verbs(*CHANGES))
    shop.run("dev")
    return len(shop.cluster.verbs(*CHANGES)) - before


def _killed(move: Callable[[Harness], object], at: int, *, after: bool) -> Harness:
    """Return the application whose run was killed at a change in the swarm, and whose lease is over."""
    shop = _prepared(move)
    shop.cluster.fail("*", Killed(), at, after=after)
    with pytest.raises(Killed):
        shop.run("dev")
    shop.clock.advance(timedelta(minutes=5))
    return shop


EITHER = pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it is done"])


@EITHER
def test_a_run_that_was_killed_at_any_change_is_finished_by_the_next(after: bool) -> None:
    for at in range(1, _changes(_upgrade) + 1):
        shop = _killed(_upgrade, at, after=after)
        assert statuses(shop.run("dev")) == {"dev": "deployed"}, at
        assert (running(shop), running(shop, "worker")) == (digest("two"), digest("worker two")), at
        assert unit(shop).setup.settings["environment.TOKEN"] == "second", at
        assert not [one for one in shop.cluster.units.values() if one.setup.kind != "service"], at
        assert shop.api().drift().exit_code == 0, at
        assert shop.run("dev").reason_code is ReasonCode.NOTHING_TO_DO, at


@EITHER
def test_a_failing_run_that_was_killed_at_any_change_ends_restored(after: bool) -> None:
    for at in range(1, _changes(_downfall) + 1):
        shop = _killed(_downfall, at, after=after)
        assert statuses(shop.run("dev")) == {"dev": "rolled_back"}, at
        assert (running(shop), running(shop, "worker")) == (digest(), digest()), at
        assert unit(shop).setup.settings["environment.TOKEN"] == "first", at
        shop.secrets.values["token"] = "first"
        assert shop.api().drift().exit_code == 0, at


@EITHER
@pytest.mark.parametrize("move", [_upgrade, _downfall])
def test_another_release_settles_what_a_killed_run_left(move: Callable[[Harness], object], after: bool) -> None:
    for at in range(1, _changes(move) + 1):
        shop = _killed(move, at, after=after)
        shop.newer("three")
        assert statuses(shop.run("dev")) == {"dev": "deployed"}, at
        assert running(shop) == digest("three"), at
        assert "failed" in shop.kinds("dev") or "rolled_back" in shop.kinds("dev"), at


def test_a_job_before_the_switch_runs_once_over_an_interruption() -> None:
    def jobs(shop: Harness) -> int:
        return len([call for call in shop.cluster.verbs("create") if "before" in call[1]])

    first = jobs(_prepared(_upgrade))
    for at in range(1, _changes(_upgrade) + 1):
        shop = _killed(_upgrade, at, after=True)
        shop.run("dev")
        assert jobs(shop) - first == 1, at


def test_a_job_that_fails_changes_no_service() -> None:
    shop = promoted(before=MIGRATE)
    shop.cluster.behave(shop.newer("two").digest, Behaviour(job=3, logs="no such table"))
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "failed"}, ReasonCode.CHECK_FAILED)
    assert "migrate: exit 3" in only(result).reasons[0]
    assert "no such table" in only(result).reasons[0]
    assert running(shop) == digest()


# ---------------------------------------------------------------- secrets
def test_a_changed_secret_has_a_new_name_and_the_old_one_goes_after_a_while() -> None:
    shop = in_swarm()
    with_token(shop)
    shop.run("dev")
    (old,) = shop.cluster.files
    shop.secrets.values["token"] = "second"
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    (new,) = set(shop.cluster.files) - {old}
    assert shop.cluster.files[new][0] == "second"
    assert [file.name for file in unit(shop).setup.spec.files] == [new]
    for number in range(6):
        assert old in shop.cluster.files or number >= 4, number
        shop.newer(f"more {number}")
        assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert list(shop.cluster.files) == [new]


def test_a_failed_release_goes_back_without_the_old_value_of_a_secret() -> None:
    shop = in_swarm()
    with_token(shop)
    shop.run("dev")
    kept = unit(shop).setup
    shop.secrets.values["token"] = "second"
    bad(shop)
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert unit(shop).setup == kept
    assert kept.settings["environment.TOKEN"] == "first"


# ---------------------------------------------------------------- pulls
def test_an_image_that_one_node_cannot_pull_changes_nothing() -> None:
    shop = promoted()
    kept = unit(shop).setup
    new = shop.newer("two")
    shop.cluster.refuse(new.digest, "node-3")
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "failed"}, ReasonCode.PULL_FAILED)
    text = "\n".join(only(result).reasons)
    assert f"{new} could not be pulled on node-3\nnode-3: No such image" in text
    assert "has this image: look at the connection from node-3" in text
    assert (unit(shop).setup, unit(shop).update) == (kept, "")
    assert not [one for one in shop.cluster.units.values() if one.setup.kind == "pull"]
    shop.cluster.refused.clear()
    assert statuses(shop.run("dev")) == {"dev": "deployed"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (NotInRegistry("gone"), "does not have this image: build and push the release again"),
        (RegistryError("the login is refused"), "asked from here, the registry answers: the login is refused"),
    ],
    ids=["missing", "refused"],
)
def test_a_pull_that_fails_shows_what_the_registry_answers(answer: RegistryError, sentence: str) -> None:
    shop = promoted()
    new = shop.newer("two")
    shop.cluster.refuse(new.digest, "node-2", "node-3")
    when(shop, lambda: bool(shop.cluster.verbs("spread")[2:]), lambda: setattr(shop.registry, "refuses", answer))
    result = shop.run("dev")
    assert only(result).code is ReasonCode.PULL_FAILED
    text = "\n".join(only(result).reasons)
    assert "could not be pulled on node-2, node-3" in text
    assert sentence in text


# ---------------------------------------------------------------- moves
def test_a_service_that_was_removed_at_the_end_of_a_failed_promotion_comes_back() -> None:
    shop = promoted()
    shop.services = {"web": TWO["web"]}
    shop.newer("two")
    shop.cluster.fail("remove_files", StartError("the swarm refuses it"))
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert (running(shop), running(shop, "worker")) == (digest(), digest())


def test_what_was_interrupted_in_a_swarm_that_the_file_no_longer_names_is_reported() -> None:
    shop = promoted()
    shop.newer("two")
    shop.cluster.fail("apply", Killed(), after=True)
    with pytest.raises(Killed):
        shop.run("dev")
    shop.clock.advance(timedelta(hours=1))
    shop.strategy, shop.accept_engine = Strategy.RECREATE, ("dev",)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    (failed,) = [fact.body for fact in shop.store.read() if fact.kind == "failed"]
    assert "what it changed on a swarm, which the file no longer names, was not taken back" in failed["reasons"]
    assert failed["left"]


def test_from_an_engine_to_a_swarm_and_back_a_person_must_accept_it() -> None:
    shop = Harness(services=dict(TWO))
    shop.run("dev")
    for strategy, runs in ((Strategy.SWARM, lambda: running(shop)), (Strategy.RECREATE, lambda: digest("two"))):
        shop.strategy, shop.accept_engine = strategy, ()
        result = shop.run("dev")
        assert (statuses(result), only(result).code) == ({"dev": "refused"}, ReasonCode.POLICY_CHANGED)
        shop.accept_engine = ("dev",)
        shop.newer("two")
        assert statuses(shop.run("dev")) == {"dev": "deployed"}
        assert runs() == digest("two")
    assert shop.engine.box("shop-dev-web").spec.image == image("web", "two")
    assert running(shop) == digest("two")  # what runs in the swarm is not touched


def test_a_failed_move_to_a_swarm_leaves_the_engine_alone() -> None:
    shop = Harness(services=dict(TWO))
    shop.run("dev")
    shop.strategy, shop.accept_engine = Strategy.SWARM, ("dev",)
    bad(shop)
    kept = shop.engine.box("shop-dev-web").id
    assert statuses(shop.run("dev")) != {"dev": "deployed"}
    assert not shop.cluster.units
    assert shop.engine.box("shop-dev-web").id == kept
    assert shop.engine.box("shop-dev-web").status == "running"


# ---------------------------------------------------------------- from outside
def test_a_service_that_was_changed_by_hand_is_found_and_repaired() -> None:
    shop = promoted()
    shop.cluster.meddle("shop-dev-web", **{"environment.LEVEL": "debug"})
    report = shop.api().drift()
    assert report.exit_code == DRIFT_FOUND
    assert [one.path for one in report.environments[0].findings] == ["services.web.environment.LEVEL"]
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert "environment.LEVEL" not in unit(shop).setup.settings
    assert shop.api().drift().exit_code == 0


def test_another_image_or_a_missing_service_is_repaired() -> None:
    shop = promoted()
    shop.offer(image("web", "other"))
    shop.cluster.meddle("shop-dev-web", image("web", "other"))
    shop.cluster.remove("shop-dev-worker")
    assert shop.api().drift().exit_code == DRIFT_FOUND
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert (running(shop), running(shop, "worker")) == (digest(), digest())


def test_a_failed_release_does_not_bring_back_what_was_done_by_hand() -> None:
    shop = promoted()
    shop.offer(image("web", "other"))
    shop.cluster.meddle("shop-dev-web", image("web", "other"))
    bad(shop)
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert running(shop) == digest()


def test_a_service_that_is_removed_during_its_update_is_a_failure_and_comes_back() -> None:
    shop = promoted()
    shop.newer("two")
    when(shop, lambda: unit(shop).update == "updating", lambda: shop.cluster.units.pop(unit(shop).id))
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert "was removed from outside" in only(result).reasons[0]
    assert running(shop) == digest()


def test_a_service_of_another_owner_is_refused() -> None:
    shop = in_swarm()
    foreign = replace(promoted(name="other").cluster.unit("other-dev-web").setup.spec, name="shop-dev-web")
    shop.cluster.apply(foreign, shop.secrets)
    result = shop.run("dev")
    assert statuses(result) == {"dev": "failed"}
    assert "service shop-dev-web is not ours" in only(result).reasons[0]
    assert shop.cluster.verbs("apply", "remove") == [("apply", "shop-dev-web")]
