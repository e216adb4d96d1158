"""Remove containers older than the previous ones, and services that the file no longer has."""

from promoter.model.labels import Role, Slot, role_of, service_of
from promoter.promotion import progress
from promoter.promotion.execution.retention import earlier_images
from promoter.promotion.execution.steps.context import StepContext
from promoter.promotion.ports.container import Container


def retire(ctx: StepContext) -> dict[str, object]:
    """Keep the live and the previous containers, and all anonymous volumes: they may hold data, and only a person can decide."""
    kept = {name for service in ctx.swapped for slot in ctx.job.slots(service) for name in (slot.name, slot.previous)}
    ctx.sweep()
    found = [c for c in ctx.engine.find(ctx.job.namespace.labels) if role_of(c.labels) != Role.JOB]
    gone = [container for container in found if container.name not in kept]
    used = {volume for container in found if container not in gone for volume in container.anonymous.values()}
    for container in gone:
        _note(ctx, container)
        ctx.engine.remove(container.id)
    left = sorted({volume for container in gone for volume in container.anonymous.values()} - used)
    if left:
        name = ctx.environment.name
        sentence = f"{name}: volumes of removed containers were kept, `docker volume rm` removes them: {', '.join(left)}"
        ctx.emit(progress.Notice(sentence))
    earlier = earlier_images(ctx.ledger.state, ctx.job.plan, ctx.job.previous)
    images = [str(image) for image in earlier if ctx.engine.remove_image(image)]
    return {"removed": sorted(c.name for c in gone), "images": images, "volumes": left}


def _note(ctx: StepContext, container: Container) -> None:
    """Note a service or a replica that the file has no longer: it is created again if the promotion fails after this step."""
    service, slot = service_of(container.labels), Slot.of(container.name)
    if service and slot.name == container.name:
        ctx.acted = True
        ctx.retired[service] = tuple(dict.fromkeys((*ctx.retired.get(service, ()), slot)))
        ctx.volumes[slot.name] = container.anonymous
