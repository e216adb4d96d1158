"""Carry out one plan: record a fact after each step, and restore the earlier release if one fails.

One loop serves every environment. The actions of each kind of step are in `steps/`, how services are replaced in
`strategies/`.
"""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import groupby

from promoter.ledger.facts import StepDone
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineLost, Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.execution.completion import Ending
from promoter.promotion.execution.confirmation import confirm
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.preparation import prepare
from promoter.promotion.execution.steps import StepContext, execute
from promoter.promotion.execution.strategies.registry import strategy_of
from promoter.promotion.irreversible import jobs_of_earlier_try
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult
from promoter.promotion.steps import Before, Monitor, Pull, Replace, Retire, Step, Verify

PARALLEL = 8
"""The largest number of steps of one wave that run at the same time."""


class Runner:
    """Carries out the steps of one plan on its engine, under a lease."""

    def __init__(self, ports: Ports, ledger: Ledger, listener: progress.Listener, job: Execution, hold: HeldLease) -> None:
        environment = job.plan.environment
        engine = FencedEngine(ports.engine(environment.engines[0]), hold.check)
        started = job.started or ports.clock.now()
        strategy = strategy_of(environment)(engine, ports.clock, ports.secrets, ports.probes, started)
        self._ctx = StepContext(ports, ledger, listener, job, hold, engine, strategy, acted=job.resumed)
        if job.resumed and not job.mend:
            self._ctx.irreversible.update(jobs_of_earlier_try(job.plan.document(), job.done))
        self._ending = Ending(self._ctx)

    def execute(self) -> EnvironmentResult:
        """Carry out and record the plan, or handle and record its failure. Raise only LeaseLost or EngineLost."""
        try:
            prepare(self._ctx)
            for steps in _groups(self._ctx.job.plan.steps):
                self._together(steps)
            return self._ending.promoted(confirm(self._ctx), self._ctx.engine.alive())
        except StepFailure as failure:
            return self._ending.failed(failure, interrupted=False)
        except Interrupted:
            return self._ending.failed(StepFailure(ReasonCode.INTERRUPTED, ("the run was interrupted",)), interrupted=True)
        except LeaseLost:
            raise
        except PromoterError as error:
            return self._ending.failed(of_error(error, ReasonCode.START_FAILED), interrupted=False)

    def _together(self, steps: tuple[Step, ...]) -> None:
        """Run independent steps at the same time. The first failure is raised, after all steps that had begun have ended."""
        if len(steps) == 1:
            self._step(steps[0])
            return
        with ThreadPoolExecutor(min(PARALLEL, len(steps))) as pool:
            _first_failure([pool.submit(self._step, step) for step in steps])

    def _step(self, step: Step) -> None:
        ctx = self._ctx
        ctx.guard()
        name, started = ctx.environment.name, ctx.ports.clock.monotonic()
        ctx.emit(progress.StepStarted(name, step.title))
        already = isinstance(step, Before) and step.id in ctx.job.done
        detail = {} if already else self._execute(step)
        if not already:
            self._ending.append(StepDone(promotion=ctx.job.promotion, step=step.id, detail=detail))
        took = ctx.ports.clock.monotonic() - started
        ctx.emit(progress.StepDone(name, step.title, took, already or detail.get("already") is True))

    def _execute(self, step: Step) -> dict[str, object]:
        try:
            return execute(self._ctx, step)
        except (Interrupted, LeaseLost):
            raise
        except PromoterError as error:
            failure = of_error(error, ReasonCode.START_FAILED)
            self._failed(step, failure)
            raise failure from error
        except StepFailure as failure:
            self._failed(step, failure)
            raise

    def _failed(self, step: Step, failure: StepFailure) -> None:
        self._ctx.emit(progress.StepFailed(self._ctx.environment.name, step.title, failure.code, failure.reasons))


def _groups(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield groups of steps that may run at the same time: all pulls, and the replacements of one wave."""

    def key(numbered: tuple[int, Step]) -> tuple[str, int]:
        number, step = numbered
        match step:
            case Pull():
                return "pull", 0
            case Replace():
                return "replace", step.wave
            case Before() | Verify() | Monitor() | Retire():
                return "alone", number

    for _, group in groupby(enumerate(steps), key):
        yield tuple(step for _, step in group)


def _first_failure(futures: "list[Future[None]]") -> None:
    """Wait for all; raise the most serious of their errors: a lost lease, an interruption, a lost engine, a failure."""
    pending: set[Future[None]] = set(futures)
    while pending:
        _, pending = wait(pending, return_when=FIRST_COMPLETED)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for kind in (LeaseLost, Interrupted, EngineLost, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
