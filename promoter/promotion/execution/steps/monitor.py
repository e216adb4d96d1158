"""Watch the new containers after the switch. The earlier ones come back if one of them ends or becomes unhealthy."""

from promoter.model.verdict import ReasonCode
from promoter.promotion.execution.failure import StepFailure, gather
from promoter.promotion.execution.steps.context import StepContext
from promoter.promotion.ports.container import Container
from promoter.promotion.steps import Monitor, Proof

POLL = 0.25
"""Seconds between two looks at the containers."""


def monitor(ctx: StepContext, step: Monitor) -> dict[str, object]:
    """Raise StepFailure for the first container that does not serve any more."""
    watched = _watched(ctx)
    if not watched:
        return {"already": True}
    ends = ctx.ports.clock.monotonic() + step.seconds
    while True:
        for service, before in watched:
            _check(ctx, service, before)
        if ctx.ports.clock.monotonic() >= ends:
            return {"containers": sorted(before.name for _, before in watched)}
        ctx.guard()
        ctx.ports.clock.sleep(POLL)


def _watched(ctx: StepContext) -> list[tuple[str, Container]]:
    """Return the containers of services that were changed and that must keep running."""
    serving = [name for name in ctx.touched if ctx.job.order(name).proof is Proof.SERVING]
    found = ((name, ctx.engine.inspect(swapped.container)) for name in serving for swapped in ctx.swapped.get(name, ()))
    return [(name, container) for name, container in found if container is not None]


def _check(ctx: StepContext, service: str, before: Container) -> None:
    seen = ctx.engine.inspect(before.id)
    if seen is None:
        raise StepFailure(
            ReasonCode.START_FAILED, (f"container {before.name} of {service} is gone: it was removed from outside",)
        )
    if seen.running and seen.restart_count == before.restart_count and seen.health != "unhealthy":
        return
    evidence = gather(ctx.engine, seen, ctx.ports.secrets, None)
    unhealthy = seen.running and seen.health == "unhealthy"
    what = "became unhealthy" if unhealthy else "did not stay up"
    code = ReasonCode.UNHEALTHY if unhealthy else ReasonCode.START_FAILED
    raise StepFailure(code, (f"{before.name} {what} after the switch", *evidence.sentences()), (evidence,))
