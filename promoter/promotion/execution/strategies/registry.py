"""The rollout strategies that can be carried out. Plan and runner share it, so that neither has one that the other lacks."""

from collections.abc import Mapping

from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.pipeline.model import Environment, Strategy
from promoter.promotion.execution.strategies.protocol import RolloutStrategy
from promoter.promotion.execution.strategies.recreate import Recreate
from promoter.promotion.steps import Step

STRATEGIES: Mapping[Strategy, type[RolloutStrategy]] = {Strategy.RECREATE: Recreate}


def strategy_of(environment: Environment) -> type[RolloutStrategy]:
    """Raises CallerError for a strategy that this version cannot carry out."""
    if environment.strategy not in STRATEGIES:
        raise CallerError(
            f"environment {environment.name} asks for strategy {environment.strategy}, which this version validates but does "
            "not carry out",
            hint=f"use strategy: {' or '.join(STRATEGIES)}",
        )
    return STRATEGIES[environment.strategy]


def steps_of(environment: Environment, release: Release) -> tuple[Step, ...]:
    """The steps of a promotion by the environment's own strategy. Raises as `strategy_of` does."""
    return strategy_of(environment).steps(environment, release)
