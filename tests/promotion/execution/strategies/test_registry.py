"""Plan and runner take the strategies from one registry."""

from dataclasses import replace

import pytest

from promoter.model.errors import CallerError
from promoter.model.release import Source
from promoter.pipeline.model import SUPPORTED, Strategy
from promoter.promotion.execution.strategies.registry import STRATEGIES, steps_of, strategy_of
from promoter.promotion.steps import Pull, Replace, Retire
from tests.harness import Harness


def test_validation_and_registry_know_the_same_strategies() -> None:
    assert set(STRATEGIES) == SUPPORTED


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
