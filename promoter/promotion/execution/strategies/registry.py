"""The available rollout strategies. Plan and runner both use this list, so that both have the same strategies."""

from collections.abc import Mapping

from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.pipeline.model import Environment, Strategy
from promoter.promotion.execution.strategies.protocol import RolloutStrategy
from promoter.promotion.execution.strategies.recreate import Recreate
from promoter.promotion.execution.strategies.start_first import Hold, StartFirst
from promoter.promotion.steps import Step

STRATEGIES: Mapping[Strategy, type[RolloutStrategy]] = {
    Strategy.RECREATE: Recreate,
    Strategy.START_FIRST: StartFirst,
    Strategy.HOLD: Hold,
}


def strategy_of(environment: Environment) -> type[RolloutStrategy]:
    """Return the environment's strategy. Raise CallerError if this version does not have it."""
    return _supported(environment.strategy, environment.name)


def recorded_strategy(document: Mapping[str, object] | None, environment: Environment) -> type[RolloutStrategy]:
    """Return the strategy of a recorded plan, which may be another than that of the file now. Raise as `strategy_of` does."""
    recorded = document.get("strategy") if document is not None else None
    return _supported(environment.strategy if recorded is None else Strategy(str(recorded)), environment.name)


def _supported(strategy: Strategy, environment: str) -> type[RolloutStrategy]:
    if strategy not in STRATEGIES:
        raise CallerError(
            f"environment {environment} asks for strategy {strategy}, which this version validates but does not carry out",
            hint=f"use strategy: {' or '.join(STRATEGIES)}",
        )
    return STRATEGIES[strategy]


def steps_of(environment: Environment, release: Release) -> tuple[Step, ...]:
    """Return the steps of a promotion by the environment's strategy. Raise as `strategy_of` does.

    In a swarm they are those of `recreate`: the swarm itself decides how tasks are replaced.
    """
    if environment.strategy is Strategy.SWARM:
        return Recreate.steps(environment, release)
    return strategy_of(environment).steps(environment, release)
