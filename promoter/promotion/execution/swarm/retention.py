"""Which secrets and configs of a swarm are kept: those that the plans of recent promotions name."""

from itertools import islice

from promoter.model.errors import CallerError
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.execution.swarm.context import SwarmContext
from promoter.promotion.recorded_plan import recorded_plan
from promoter.promotion.service_files import swarm_names

KEPT = 5
"""The number of past promotions whose secrets and configs are kept, so that a rollback needs no value."""


def kept_files(ctx: SwarmContext) -> frozenset[str]:
    """Return the names that this promotion and the last ones use. What a service still uses cannot be removed either."""
    state, plan = ctx.ledger.state, ctx.job.plan
    name, found = plan.environment.name, swarm_names(plan)
    for _, deployment in islice(state.environment(name).verified.backwards(), KEPT):
        document = ctx.ledger.plan_document(name, deployment.plan_digest)
        if document is None:
            continue
        try:
            release = state.releases[deployment.release].release
            found |= swarm_names(recorded_plan(document, plan.environment, release, ctx.job.directory, steps_of))
        except CallerError:
            continue  # a plan of another version: its names are not known
    return found
