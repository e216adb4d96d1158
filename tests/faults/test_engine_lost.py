"""An engine that goes away during a promotion: this does not count as a failure, and interrupted work is continued."""

from collections.abc import Callable

import pytest

from promoter.gates.checks import ContainerCheck
from promoter.model.errors import EngineError, StartError
from promoter.promotion.ports.container import EngineIdentity
from promoter.promotion.promote import RESUMES
from promoter.promotion.reconnect import AWAY
from tests.fakes.engine import Behaviour
from tests.harness import Harness, statuses

VERBS = ("stop", "create", "start", "rename", "ensure_network")


def gone(kind: type[EngineError] = EngineError) -> EngineError:
    error = kind("the engine does not answer: Connection refused", retryable=True)
    error.lost = True
    return error


@pytest.fixture
def shop() -> Harness:
    made = Harness()
    made.run("dev")
    made.newer("two")
    return made


def runs(shop: Harness, name: str) -> bool:
    container = shop.engine.inspect(name)
    assert container is not None
    return container.running


@pytest.mark.parametrize("verb", VERBS)
def test_a_run_continues_when_the_engine_comes_back(shop: Harness, verb: str) -> None:
    shop.engine.fail(verb, gone())
    result = shop.run("dev")
    assert statuses(result) == {"dev": "deployed"}
    assert [kind for kind in shop.kinds("dev") if kind in ("failed", "rolled_back")] == []
    assert len(shop.engine.find({"dev.promoter.pipeline": "shop"})) == 2
    assert runs(shop, "shop-dev-web")


# ---------------------------------------------------------------- observations from before the engine went away
def started_and_lost(shop: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute the next start, and lose its answer."""
    start = shop.engine.start

    def once(container: str) -> None:
        monkeypatch.setattr(shop.engine, "start", start)
        start(container)
        raise gone(StartError)

    monkeypatch.setattr(shop.engine, "start", once)


@pytest.mark.parametrize("keeps", [False, True], ids=["it lets them end", "it keeps them"])
def test_what_ran_before_it_went_proves_nothing_afterwards(shop: Harness, monkeypatch: pytest.MonkeyPatch, keeps: bool) -> None:
    """An engine that is back asks its containers to end, and shows them as running until they have ended."""
    back = EngineIdentity(shop.engine.fingerprint, "fake", "0.0.0", "2030-01-01T00:00:00Z", keeps_containers=keeps)
    monkeypatch.setattr(shop.engine, "identify", lambda: back)
    started_and_lost(shop, monkeypatch)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert shop.engine.box("shop-dev-web").starts == (1 if keeps else 2)


def test_what_the_engine_started_itself_after_it_was_back_is_left_running(shop: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    back = EngineIdentity(shop.engine.fingerprint, "fake", "0.0.0", "2020-01-01T00:00:00Z")
    monkeypatch.setattr(shop.engine, "identify", lambda: back)
    started_and_lost(shop, monkeypatch)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert shop.engine.box("shop-dev-web").starts == 1


def when(shop: Harness, verb: str, act: Callable[[], None]) -> None:
    """Call `act` once, before the next call of `verb`."""
    call = getattr(shop.engine, verb)

    def acting(*words: object, **options: object) -> object:
        setattr(shop.engine, verb, call)
        act()
        return call(*words, **options)

    setattr(shop.engine, verb, acting)


def when_proven(shop: Harness, act: Callable[[], None]) -> None:
    """Call `act` once the new container is healthy and its digest has been read."""
    when(shop, "digest_of", lambda: when(shop, "find", act))


def test_a_step_that_fails_because_the_engine_is_going_has_not_failed(shop: Harness) -> None:
    """It shuts down in order: its containers end one after the other, and it answers on open connections."""

    def going() -> None:
        shop.engine.crash("shop-dev-web", 137)
        shop.engine.fail("identify", gone())

    when(shop, "exec", going)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert not {"failed", "rolled_back"} & set(shop.kinds("dev"))
    assert runs(shop, "shop-dev-web")


def test_a_run_waits_for_an_engine_that_answers_too_late(shop: Harness) -> None:
    """Its network connection is lost: each call times out, and nothing could be restored."""

    def cut() -> None:
        shop.engine.fail("start", StartError("container web could not be started: timed out", retryable=True))
        shop.engine.fail("identify", EngineError("the engine could not be identified: timed out", retryable=True))

    when(shop, "start", cut)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert not {"failed", "rolled_back"} & set(shop.kinds("dev"))


def test_nothing_is_called_deployed_that_ended_after_it_was_proven(shop: Harness) -> None:
    when_proven(shop, lambda: shop.engine.crash("shop-dev-web", 3))
    (dev,) = shop.run("dev").environments
    assert str(dev.status) == "rolled_back"
    assert dev.reasons[0] == "shop-dev-web did not stay up: it was proven healthy before"
    assert runs(shop, "shop-dev-web")


def test_nothing_is_called_deployed_that_was_started_again_and_not_proven_since(shop: Harness) -> None:
    def again() -> None:
        box = shop.engine.box("shop-dev-web")
        box.started_at = "2031-01-01T00:00:00Z"
        shop.engine.behave(box.spec.image.digest, Behaviour(health="unhealthy"))

    when_proven(shop, again)
    (dev,) = shop.run("dev").environments
    assert (str(dev.status), str(dev.code)) == ("rolled_back", "unhealthy")


def test_nothing_is_called_deployed_by_an_engine_that_is_going(shop: Harness) -> None:
    when_proven(shop, lambda: shop.engine.fail("identify", gone()))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert shop.kinds("dev").count("started") == 3  # that of the first release, and this one's twice
    assert shop.engine.verbs("identify")[-2:] == [("identify",)] * 2


def test_nothing_counts_as_restored_on_an_engine_that_is_ending(shop: Harness) -> None:
    """What was restored ends with the engine: the run continues, and restores it once more."""
    shop.engine.behave(shop.images["web"].digest, Behaviour(health="unhealthy"))

    def going() -> None:
        shop.engine.crash("shop-dev-web", 137)
        shop.engine.fail("identify", gone())

    when(shop, "remove", lambda: when(shop, "exec", lambda: when(shop, "exec", going)))
    shop.engine.fail("start", StartError("port is taken"))
    (dev,) = shop.run("dev").environments
    assert str(dev.status) == "rolled_back"
    assert shop.kinds("dev").count("rolled_back") == 1
    assert runs(shop, "shop-dev-web")


def test_one_that_goes_while_it_is_identified_is_waited_for(shop: Harness) -> None:
    """First before any change, then where the recorded engine is compared with the one that answers."""
    shop.engine.fail("identify", gone())
    when(shop, "identify", lambda: when(shop, "find", lambda: shop.engine.fail("identify", gone())))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}


def test_one_that_was_never_reached_ends_the_run_at_once(shop: Harness) -> None:
    start = shop.clock.monotonic()
    shop.engine.fail("identify", EngineError("the engine does not answer: No such file or directory"))
    with pytest.raises(EngineError):
        shop.run("dev")
    assert shop.clock.monotonic() - start < 1


# ---------------------------------------------------------------- an engine that stays away
class Away:
    """From the next start of a container on, the engine does not answer until it is `back`."""

    def __init__(
        self, shop: Harness, error: Callable[..., EngineError] = gone, wanted: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._error, self._wanted = error, wanted
        self._engine = shop.engine
        self._start, self._patch = shop.engine.start, pytest.MonkeyPatch()
        self.clock = shop.clock
        self._patch.setattr(shop.engine, "start", self._go)

    def _go(self, container: str) -> None:
        if not self._wanted(self._engine.box(container).name):
            self._start(container)
            return
        self._patch.setattr(self._engine, "identify", self._silent)
        raise self._error(StartError)

    def _silent(self) -> EngineIdentity:
        raise self._error(EngineError)

    def back(self) -> None:
        self._patch.undo()


def test_one_that_stays_away_ends_the_run_where_it_is_and_the_next_finishes(shop: Harness) -> None:
    away, start = Away(shop), shop.clock.monotonic()
    result = shop.run("dev")
    (dev,) = result.environments
    assert (str(dev.status), str(dev.code)) == ("failed", "start_failed")
    assert dev.reasons == ("the engine does not answer: Connection refused", RESUMES)
    assert shop.clock.monotonic() - start >= AWAY
    assert shop.kinds("dev")[-1] == "started"
    away.back()
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert "failed" not in shop.kinds("dev")


def test_an_interruption_while_it_is_away_ends_the_run_where_it_is(shop: Harness) -> None:
    Away(shop)
    shop.clock.interrupt_after = len(shop.clock.sleeps) + 3
    result = shop.run("dev")
    (dev,) = result.environments
    assert (str(dev.status), dev.reasons[-1]) == ("interrupted", RESUMES)


def test_a_lost_connection_is_not_reported_as_a_failure_to_restore(shop: Harness) -> None:
    """It is unknown whether the new version was started: the next run looks, and does not repeat the job before the switch."""

    def silent(kind: type[EngineError]) -> EngineError:
        return kind("the engine does not answer: timed out", retryable=True)

    shop.before = (ContainerCheck(service="web", command=("/bin/migrate",)),)
    shop.run("dev")
    shop.newer("three")
    away = Away(shop, silent, lambda name: name == "shop-dev-web")
    (dev,) = shop.run("dev").environments
    assert (str(dev.status), dev.reasons) == ("failed", ("the engine does not answer: timed out", RESUMES))
    assert shop.kinds("dev")[-1] == "started"
    away.back()
    jobs = shop.engine.verbs("create").count(("create", "shop-dev-before-1"))
    assert jobs == 2  # that of the release before, and this one's
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert shop.engine.verbs("create").count(("create", "shop-dev-before-1")) == jobs
