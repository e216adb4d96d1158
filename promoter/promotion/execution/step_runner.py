"""Carry out steps on one engine: those of a group at the same time, with a fact after each."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import groupby

from promoter.ledger import facts
from promoter.model.errors import EngineLost, Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.steps import StepContext, execute
from promoter.promotion.execution.steps.context import PromotionContext
from promoter.promotion.futures import wait_for_one
from promoter.promotion.steps import Before, Monitor, Pull, Replace, Retire, Step, Verify

Act = Callable[[Step], dict[str, object]]
"""Carries out one step, and returns the detail of its fact."""
PARALLEL = 8
"""The largest number of steps of one wave that run at the same time."""


def run_steps(ctx: StepContext, steps: Sequence[Step]) -> None:
    """Carry out the steps on an engine, in order. Raise StepFailure, Interrupted, LeaseLost or EngineLost."""
    execute_steps(ctx, steps, partial(execute, ctx))


def execute_steps(ctx: PromotionContext, steps: Sequence[Step], act: Act) -> None:
    """Carry out the steps in order. Raise as `run_steps` does."""
    for group in _groups(steps):
        together([partial(_run, ctx, act, step) for step in group], PARALLEL)


def append(ctx: PromotionContext, fact: facts.Payload) -> None:
    """Append a fact. Fail if this run lost the lease, because others may have written since."""
    plan = ctx.job.plan
    ctx.ledger.append(fact, plan.environment.name, plan.release.id, lambda _: ctx.hold.check())


def together(acts: Sequence[Callable[[], None]], parallel: int) -> None:
    """Call all at the same time. Wait for all; raise the most serious error: a lost lease, an interruption, a lost engine."""
    if len(acts) == 1:
        acts[0]()
        return
    with ThreadPoolExecutor(max(1, min(parallel, len(acts)))) as pool:
        _first_failure([pool.submit(act) for act in acts])


# ------------------------------------------------------------ parts
def _run(ctx: PromotionContext, act: Act, step: Step) -> None:
    ctx.guard()
    name, started = ctx.environment.name, ctx.ports.clock.monotonic()
    ctx.emit(progress.StepStarted(name, step.title))
    already = isinstance(step, Before) and step.id in ctx.job.done
    detail = {} if already else _executed(ctx, act, step)
    if not already:
        append(ctx, facts.StepDone(promotion=ctx.job.promotion, step=step.id, detail=detail, host=ctx.host or None))
    took = ctx.ports.clock.monotonic() - started
    ctx.emit(progress.StepDone(name, step.title, took, already or detail.get("already") is True))


def _executed(ctx: PromotionContext, act: Act, step: Step) -> dict[str, object]:
    try:
        return act(step)
    except (Interrupted, LeaseLost):
        raise
    except PromoterError as error:
        failure = of_error(error, ReasonCode.START_FAILED)
        _failed(ctx, step, failure)
        raise failure from error
    except StepFailure as failure:
        _failed(ctx, step, failure)
        raise


def _failed(ctx: PromotionContext, step: Step, failure: StepFailure) -> None:
    ctx.emit(progress.StepFailed(ctx.environment.name, step.title, failure.code, failure.reasons))


def _groups(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
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
    pending: set[Future[None]] = set(futures)
    while pending:
        pending -= wait_for_one(pending)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for kind in (LeaseLost, Interrupted, EngineLost, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
