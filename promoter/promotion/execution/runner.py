"""Carry out one plan on its engine: record a fact after each step, and restore the earlier release if one fails.

One loop serves every environment. The actions of each kind of step are in `steps/`, how services are replaced in
`strategies/`, and what several hosts add in `hosts/`.
"""

from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.promotion import progress
from promoter.promotion.execution.completion import Ending, gap_of, undo
from promoter.promotion.execution.confirmation import confirm
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.hosts.rollout import HostsRunner
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.outcome import concluded
from promoter.promotion.execution.preparation import prepare
from promoter.promotion.execution.step_runner import run_steps
from promoter.promotion.execution.steps.context import StepContext, open_steps
from promoter.promotion.execution.swarm.runner import execute_on_swarm
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult


def execute_plan(ports: Ports, ledger: Ledger, listener: progress.Listener, job: Execution, hold: HeldLease) -> EnvironmentResult:
    """Carry out and record the plan, or handle and record its failure. Raise only LeaseLost or EngineLost."""
    if job.plan.environment.rollout is not None:
        return HostsRunner(ports, ledger, listener, job, hold).execute()
    if job.plan.environment.swarm is not None:
        return execute_on_swarm(ports, ledger, listener, job, hold)
    engine = FencedEngine(ports.engine(job.plan.environment.hosts[0].engine), hold.check)
    return _execute_on_engine(open_steps(ports, ledger, listener, job, hold, engine))


def _execute_on_engine(ctx: StepContext) -> EnvironmentResult:
    ending = Ending(ctx, lambda interrupted: undo(ctx, interrupted=interrupted), lambda: gap_of(ctx))

    def act() -> EnvironmentResult:
        prepare(ctx)
        run_steps(ctx, ctx.job.plan.steps)
        return ending.promoted(confirm(ctx), ctx.engine.alive())

    return concluded(ending, act)
