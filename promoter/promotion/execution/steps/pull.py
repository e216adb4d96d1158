"""Pull an image to the engine."""

from promoter.promotion import progress
from promoter.promotion.execution.image_pull import fetch
from promoter.promotion.execution.steps.context import StepContext
from promoter.promotion.steps import Pull


def pull(ctx: StepContext, step: Pull) -> dict[str, object]:
    def layer(name: str, status: str, current: int | None, total: int | None) -> None:
        ctx.emit(progress.LayerProgress(step.service, "pull", name, status, current, total))

    made_as = ctx.job.plan.release.images[step.service]
    platform = ctx.environment.services[step.service].platform
    moved = fetch(ctx.engine, ctx.ports.registry, made_as, step.image, platform, layer)
    return {"already": not moved}
