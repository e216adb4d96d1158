"""Put the containers of one service in place, one replica after the other."""

from dataclasses import replace
from functools import partial

from promoter.model.labels import Slot, service_of
from promoter.pipeline.compose.ports import clash
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.steps.context import StepContext
from promoter.promotion.steps import Replace


def replace_service(ctx: StepContext, step: Replace) -> dict[str, object]:
    service = step.service
    done = ctx.swapped.setdefault(service, [])
    order, restart = ctx.job.order(service), _restarts(ctx, service)
    if _shares_with_replaced(ctx, service):
        order = replace(order, live=frozenset(), earlier=frozenset())
    _free_ports(ctx, service)
    for slot in ctx.job.slots(service):
        ctx.guard()
        swapped = ctx.strategy.replace(order, slot, restart=restart, touch=partial(ctx.touch, service))
        done.append(swapped)
        kept = "unchanged, " if swapped.kept else ""
        ctx.note(step.title, f"{slot.name} {kept}{swapped.health}")
        if swapped.held is not None:
            ctx.note(step.title, f"{slot.name}: requests waited for at most {swapped.held:.1f} s")
        if swapped.late:
            ctx.remark(swapped.late)
    return {
        "already": all(s.kept for s in done),
        "containers": [s.container for s in done],
        "health": [s.health for s in done],
        **_held(done),
        "gap_ms": max((round(s.gap * 1000) for s in done if s.gap is not None), default=None),
    }


def _free_ports(ctx: StepContext, service: str) -> None:
    """Stop containers of services that the file has no longer, if they have a port that this service publishes."""
    wanted = ctx.environment.services[service].ports
    if not wanted:
        return
    for container in ctx.engine.find(ctx.job.namespace.labels):
        other = service_of(container.labels)
        if not container.running or not other or other in ctx.environment.services:
            continue
        if any(
            clash(address, port.host_ip) and number == port.published
            for address, number in container.published.values()
            for port in wanted
        ):
            ctx.acted = True
            ctx.retired[other] = (*ctx.retired.get(other, ()), Slot(container.name))
            ctx.engine.stop(container.id, None)


def _held(done: list[Swapped]) -> dict[str, object]:
    """Return the longest time that requests waited in the front, if they did."""
    held = [round(s.held * 1000) for s in done if s.held is not None]
    return {"held_ms": max(held)} if held else {}


def _restarts(ctx: StepContext, service: str) -> bool:
    """Return whether a service that it depends on was changed, and asks for its restart."""
    config = ctx.environment.services[service]
    return not config.protected and any(d.restart and name in ctx.touched for name, d in config.depends_on.items())


def _shares_with_replaced(ctx: StepContext, service: str) -> bool:
    """Return whether the service shares a namespace with a container that was replaced: the namespace ended with it."""
    config = ctx.environment.services[service]
    shared = {config.network_mode, config.pid, config.ipc}
    return any(f"container:{slot.name}" in shared for other in ctx.touched for slot in ctx.job.slots(other))
