"""The actions of each kind of step in a swarm. A handler returns the detail of its `step_done` fact."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

from promoter.model.labels import Role, promotion_of, role_of, service_of
from promoter.model.ownership import owner_labels
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.steps.check import check
from promoter.promotion.execution.swarm.context import SwarmContext, steady_of
from promoter.promotion.execution.swarm.pulling import Pulling
from promoter.promotion.execution.swarm.retention import kept_files
from promoter.promotion.inspection.cluster import differing
from promoter.promotion.ports.cluster import ClusterService
from promoter.promotion.steps import Before, Monitor, Pull, Replace, Retire, Step, Verify


def execute(ctx: SwarmContext, step: Step) -> dict[str, object]:
    """Carry out one step. Raise StepFailure or PromoterError."""
    match step:
        case Pull():
            return pull(ctx, step)
        case Before() | Verify():
            return check(ctx, step)
        case Replace():
            return replace_service(ctx, step)
        case Retire():
            return retire(ctx)
        case Monitor():
            raise AssertionError("a swarm watches its own updates")
    assert_never(step)


# ------------------------------------------------------------ pull
def pull(ctx: SwarmContext, step: Pull) -> dict[str, object]:
    """Let every node on which the service may run pull its image. Raise StepFailure for the nodes that cannot."""
    if is_kept(ctx, step.service):
        return {"already": True}
    if note := ctx.cluster.login_note(step.image):
        ctx.remark(note)
    made_as, timeout = ctx.job.plan.release.images[step.service], ctx.convergence().timeout
    pulling = Pulling(ctx.cluster, ctx.ports.registry, ctx.ports.clock, timeout)
    return {"nodes": list(pulling.pull(made_as, ctx.spec(step.service)))}


# ------------------------------------------------------------ replace
def replace_service(ctx: SwarmContext, step: Replace) -> dict[str, object]:
    """Create or update the service, and wait until it has converged."""
    service, spec, restart = step.service, ctx.spec(step.service), _restarts(ctx, step.service)
    kept = not restart and is_kept(ctx, service)
    if not kept:
        ctx.touch(service)
        ctx.cluster.ensure_files(spec.files, owner_labels(ctx.job.namespace), ctx.ports.secrets)
        ctx.cluster.apply(spec, ctx.ports.secrets, restart=restart)
    swapped = prove(ctx, service, kept=kept, note=partial(ctx.note, step.title))
    ctx.swapped[service] = [swapped]
    ctx.note(step.title, f"{spec.name} {'unchanged, ' if kept else ''}{swapped.health}")
    return {"already": kept, "containers": [swapped.container], "health": [swapped.health], "gap_ms": None}


def prove(ctx: SwarmContext, service: str, *, kept: bool, note: Callable[[str], None] = lambda _: None) -> Swapped:
    """Wait until a service has converged, and read its digest back. Raise StepFailure."""
    steady = timedelta(0) if kept else steady_of(ctx.environment.services[service])
    return replace(ctx.convergence().prove(ctx.spec(service), steady, note), kept=kept)


def is_kept(ctx: SwarmContext, service: str) -> bool:
    """Return whether the service already is as the plan asks: recorded with the same plan of it, and not changed since."""
    order, spec = ctx.job.order(service), ctx.spec(service)
    seen = ctx.cluster.service(spec.name)
    if seen is None or not (seen.id in order.live or promotion_of(seen.labels) == order.promotion):
        return False
    observed = ctx.cluster.observe(spec.name, spec)
    return observed is not None and not differing(observed) and spec.image.digest in observed.digests


def _restarts(ctx: SwarmContext, service: str) -> bool:
    """Return whether a service that it depends on was changed, and asks for its restart.

    What an interrupted try has changed was restarted then.
    """
    config = ctx.environment.services[service]
    return (
        service not in ctx.touched
        and not config.protected
        and any(d.restart and name in ctx.touched for name, d in config.depends_on.items())
    )


# ------------------------------------------------------------ retire
def retire(ctx: SwarmContext) -> dict[str, object]:
    """Remove services that the file has no longer, and the secrets and configs that no recent promotion names."""
    ctx.sweep()
    names = {ctx.job.slots(service)[0].name for service in ctx.environment.services}
    gone = [one for one in _services(ctx) if one.name not in names]
    for one in gone:
        ctx.acted = True
        ctx.cluster.remove(one.id)
    files = ctx.cluster.remove_files(owner_labels(ctx.job.namespace), kept_files(ctx))
    return {"removed": sorted(one.name for one in gone), "files": list(files)}


def _services(ctx: SwarmContext) -> list[ClusterService]:
    found = (c for c in ctx.cluster.find(ctx.job.namespace.labels) if role_of(c.labels) != Role.JOB and service_of(c.labels))
    services = (ctx.cluster.service(container.id) for container in found)
    return [one for one in services if one is not None]
