"""Check every service once more before a promotion is recorded as deployed: one may have ended since it was healthy."""

from promoter.model.labels import Slot
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.comeback import stays
from promoter.promotion.execution.steps import StepContext
from promoter.promotion.steps import Proof


def confirm(ctx: StepContext) -> dict[str, list[Swapped]]:
    """Return each service's replicas as they run now. Raise StepFailure if one does not run."""
    job, found = ctx.job, {c.id: c for c in ctx.engine.find(ctx.job.namespace.labels)}

    def again(service: str, slot: Slot, before: Swapped) -> Swapped:
        order, seen = job.order(service), found.get(before.container)
        if order.proof is Proof.COMPLETED or (seen is not None and seen.running and before.kept):
            return before
        if not before.kept and stays(seen, before, ctx.engine, ctx.ports.secrets):
            return before
        return ctx.strategy.prove(order, slot)

    return {
        service: [again(service, slot, done) for slot, done in zip(job.slots(service), ctx.swapped[service], strict=True)]
        for service in job.in_order
    }
