"""An engine that goes away in the middle: nothing is taken for a failure, and what was cut off is carried on with."""

import pytest

from promoter.entering import AWAY, CARRIES_ON
from promoter.model.errors import EngineError, StartError
from promoter.ports import EngineIdentity
from tests.workshop import Workshop, statuses

VERBS = ("stop", "create", "start", "rename", "ensure_network")


def gone(kind: type[EngineError] = EngineError) -> EngineError:
    error = kind("the engine does not answer: Connection refused", retryable=True)
    error.lost = True
    return error


@pytest.mark.parametrize("verb", VERBS)
def test_one_that_comes_back_is_carried_on_with(shop: Workshop, verb: str) -> None:
    shop.engine.fail(verb, gone())
    result = shop.run("dev")
    assert statuses(result) == {"dev": "deployed"}
    assert [kind for kind in shop.kinds("dev") if kind in ("failed", "rolled_back")] == []
    assert len(shop.engine.find({"dev.promoter.pipeline": "shop"})) == 2
    assert shop.engine.inspect("shop-dev-web").running  # type: ignore[union-attr]


class Away:
    """From the next start of a container on the engine is silent, until it is `back`."""

    def __init__(self, shop: Workshop) -> None:
        self._engine = shop.engine
        self._kept = (shop.engine.start, shop.engine.identify)
        self.clock = shop.clock
        shop.engine.start = self._go  # type: ignore[method-assign]

    def _go(self, container: str) -> None:
        self._engine.identify = self._silent  # type: ignore[method-assign]
        raise gone(StartError)

    def _silent(self) -> EngineIdentity:
        raise gone()

    def back(self) -> None:
        self._engine.start, self._engine.identify = self._kept  # type: ignore[method-assign]


@pytest.fixture
def shop() -> Workshop:
    made = Workshop()
    made.run("dev")
    made.newer("two")
    return made


def test_one_that_stays_away_ends_the_run_where_it_is_and_the_next_finishes(shop: Workshop) -> None:
    away, begun = Away(shop), shop.clock.monotonic()
    result = shop.run("dev")
    (dev,) = result.environments
    assert (str(dev.status), str(dev.code)) == ("failed", "start_failed")
    assert dev.reasons == ("the engine does not answer: Connection refused", CARRIES_ON)
    assert shop.clock.monotonic() - begun >= AWAY
    assert shop.kinds("dev")[-1] == "started"
    away.back()
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert "failed" not in shop.kinds("dev")


def test_an_interruption_while_it_is_away_ends_the_run_where_it_is(shop: Workshop) -> None:
    Away(shop)
    shop.clock.interrupt_after = len(shop.clock.sleeps) + 3
    result = shop.run("dev")
    (dev,) = result.environments
    assert (str(dev.status), dev.reasons[-1]) == ("interrupted", CARRIES_ON)
