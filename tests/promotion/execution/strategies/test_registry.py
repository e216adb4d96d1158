"""Plan and runner use the same registry of strategies."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from promoter.model.errors import CallerError
from promoter.model.release import Source
from promoter.pipeline.model import SUPPORTED, Strategy
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.execution.strategies.recreate import Recreate
from promoter.promotion.execution.strategies.registry import STRATEGIES, recorded_strategy, steps_of, strategy_of
from promoter.promotion.steps import Pull, Replace, Retire
from tests.faults.points import Dead
from tests.harness import Harness, statuses


def test_validation_and_registry_know_the_same_strategies() -> None:
    assert set(STRATEGIES) | {Strategy.SWARM} == SUPPORTED


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_registered_strategy_pulls_before_it_replaces_and_retires_last(strategy: Strategy) -> None:
    shop = Harness()
    environment = replace(shop.resolve("dev", Source(), None), strategy=strategy)
    shop.run("dev")
    steps = [type(step) for step in steps_of(environment, shop.release())]
    assert steps.index(Pull) < steps.index(Replace)
    assert steps[-1] is Retire


@pytest.mark.parametrize("strategy", [one for one in Strategy if one not in STRATEGIES])
def test_another_strategy_is_refused_by_name(strategy: Strategy) -> None:
    shop = Harness()
    environment = replace(shop.resolve("dev", Source(), None), strategy=strategy)
    with pytest.raises(CallerError, match=f"environment dev asks for strategy {strategy}") as caught:
        strategy_of(environment)
    assert caught.value.hint == f"use strategy: {' or '.join(STRATEGIES)}"


class Other(Recreate):
    """Another strategy, which counts what it restores."""

    restored = 0

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        Other.restored += 1
        return super().restore(failed, earlier, emit)


def killed(_: str) -> None:
    raise Dead


def test_an_interrupted_promotion_is_undone_by_the_strategy_that_it_was_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may name another strategy in the meantime."""
    registry = {**STRATEGIES, Strategy.START_FIRST: Other}
    monkeypatch.setattr("promoter.promotion.execution.strategies.registry.STRATEGIES", registry)
    shop = Harness()
    shop.run("dev")
    shop.strategy = Strategy.START_FIRST
    shop.newer("two")
    monkeypatch.setattr(shop.engine, "start", killed)
    with pytest.raises(Dead):
        shop.run("dev")
    monkeypatch.undo()
    monkeypatch.setattr("promoter.promotion.execution.strategies.registry.STRATEGIES", registry)
    assert Other.restored == 0
    shop.strategy = Strategy.RECREATE
    shop.newer("three")
    shop.clock.advance(timedelta(minutes=10))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert Other.restored == 1


def test_without_a_recorded_plan_the_strategy_of_the_file_is_taken() -> None:
    assert recorded_strategy(None, Harness().resolve("dev", Source(), None)) is Recreate
