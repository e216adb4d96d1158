"""Run one check: a `before` job once, before anything is replaced, or a `verify` against what runs now."""

from dataclasses import replace

from promoter.gates.checks import ContainerCheck, dry_run_sentence, is_irreversible
from promoter.model.labels import once_name
from promoter.model.verdict import ReasonCode
from promoter.promotion.checks.runner import Checker
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.steps.context import PromotionContext
from promoter.promotion.steps import Before, Verify

OUTPUT = 2000
"""Characters of the end of a check's output that are recorded."""


def check(ctx: PromotionContext, step: Before | Verify) -> dict[str, object]:
    ctx.acted = True
    before = isinstance(step, Before)
    wanted = (ctx.environment.before if before else ctx.environment.verify)[step.index]
    once = once_name(ctx.job.namespace, step.index) if before else None
    if before and is_irreversible(wanted):
        ctx.irreversible[step.check] = False
    result = Checker(ctx.ports).run(wanted, replace(ctx.job.site(ctx.runtime), fresh=not before, once=once))
    if before and is_irreversible(wanted) and not result.timed_out:
        ctx.irreversible[step.check] = True
    output = result.seen[-OUTPUT:]
    if wanted.dry_run:
        ctx.remark(f"{wanted.title()}: {dry_run_sentence(result)}")
        return {"sentence": dry_run_sentence(result), "output": output, "dry_run": True, "passed": result.passed}
    if result.passed:
        return {"sentence": result.sentence, "output": output}
    if not before:
        raise StepFailure(ReasonCode.VERIFY_FAILED, (result.sentence,))
    code = ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED
    hint = _nothing_runs_yet(ctx) if isinstance(wanted, ContainerCheck) else ()
    raise StepFailure(code, (result.sentence, *hint))


def _nothing_runs_yet(ctx: PromotionContext) -> tuple[str, ...]:
    """Return a hint for a job that failed in the first promotion: a service that it needs may not have been started yet.

    A service is started before the job only if the job's own service depends on it.
    """
    if ctx.job.earlier is not None or len(ctx.swapped) == len(ctx.environment.services):
        return ()
    hint = "a service that this job needs is started first when the job's service names it under `depends_on`"
    return (f"nothing ran in {ctx.environment.name} before: {hint}",)
