"""Carry out one plan in a swarm: record a fact after each step, and return every service to what is recorded if one fails."""

from collections.abc import Callable
from functools import partial

from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.labels import once_name, promotion_of
from promoter.model.ownership import owner_labels
from promoter.promotion import progress
from promoter.promotion.execution.completion import Ending, undone
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.outcome import concluded
from promoter.promotion.execution.ownership import refuse_foreign
from promoter.promotion.execution.preparation import require_recorded_secrets
from promoter.promotion.execution.provisioning import provide_networks
from promoter.promotion.execution.step_runner import execute_steps
from promoter.promotion.execution.strategies.protocol import Returned
from promoter.promotion.execution.swarm.context import SwarmContext, open_swarm
from promoter.promotion.execution.swarm.restore import SwarmRestoring
from promoter.promotion.execution.swarm.steps import execute, is_kept, prove
from promoter.promotion.plan import needed_secrets
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult
from promoter.promotion.steps import Before


def execute_on_swarm(
    ports: Ports, ledger: Ledger, listener: progress.Listener, job: Execution, hold: HeldLease
) -> EnvironmentResult:
    """Carry out and record the plan, or handle and record its failure. Raise only LeaseLost or EngineLost."""
    ctx = open_swarm(ports, ledger, listener, job, hold)
    ending = Ending(ctx, lambda interrupted: _undo(ctx, interrupted=interrupted))

    def act() -> EnvironmentResult:
        _prepare(ctx)
        execute_steps(ctx, ctx.job.plan.steps, partial(execute, ctx))
        services = {service: [prove(ctx, service, kept=True)] for service in ctx.job.in_order}
        return ending.promoted(services, ctx.cluster.alive())

    return concluded(ending, act)


def _prepare(ctx: SwarmContext) -> None:
    """Prepare the swarm. Raise StartError for a name of another owner, StepFailure for a secret that has changed."""
    ctx.guard()
    job = ctx.job
    names = {job.slots(service)[0].name: owner_labels(job.namespace, service) for service in ctx.environment.services}
    before = {step.id: once_name(job.namespace, step.index) for step in job.plan.steps if isinstance(step, Before)}
    names |= dict.fromkeys(before.values(), owner_labels(job.namespace))
    there = ctx.cluster.labels_by_name()
    refusal = refuse_foreign(names, there, "service")
    if refusal is not None:
        raise refusal
    for service in job.in_order if job.resumed else ():  # what an interrupted try has changed is undone too
        if promotion_of(there.get(job.slots(service)[0].name, {})) == job.promotion:
            ctx.touch(service)
    if job.plan.recorded is not None:
        _prove_secrets(ctx)
    ctx.sweep({name for step, name in before.items() if job.resumed and step not in job.done})
    provide_networks(ctx.cluster, ctx.environment, job.namespace)


def _prove_secrets(ctx: SwarmContext) -> None:
    """Check the secrets of a recorded plan: needed for services that must change, and for files that the swarm has not."""
    changed = [service for service in ctx.environment.services if not is_kept(ctx, service)]
    files = [file for service in changed for file in ctx.job.files(service)]
    contents = [file.content for file in ctx.cluster.missing_files(files)]
    require_recorded_secrets(ctx, needed_secrets(ctx.environment, changed, contents))


def _undo(ctx: SwarmContext, *, interrupted: bool) -> Returned:
    """Return what was changed to what is recorded, unless the file or a repair forbids it."""
    names = {service: ctx.job.slots(service)[0].name for service in ctx.touched}

    def act(restoring: Callable[[str], None]) -> Returned:
        ports = ctx.ports.uninterruptible()
        return SwarmRestoring(ports, ctx.cluster, ctx.job.promotion, restoring).go(names, ctx.job.earlier)

    return undone(ctx, act, touched=bool(names), interrupted=interrupted)
