"""Settling a promotion that was interrupted and will not be resumed: what it put in place is taken back.

It is undone by the strategy that it was started with, which its recorded plan names.
"""

from collections.abc import Mapping
from typing import Any

from promoter.ledger import facts
from promoter.ledger.attempts import ActivePromotion
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineError, EngineLost
from promoter.model.labels import Namespace, Role, promotion_of, role_of, service_of
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Host
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.execution.completion import restore
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.job import Ran
from promoter.promotion.execution.strategies.protocol import Failed
from promoter.promotion.execution.strategies.registry import recorded_strategy
from promoter.promotion.execution.strategies.restore import slots_of
from promoter.promotion.execution.swarm.fencing import FencedCluster
from promoter.promotion.execution.swarm.restore import SwarmRestoring
from promoter.promotion.irreversible import Jobs, jobs_of_earlier_try, sentences
from promoter.promotion.plan import Plan
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.engine import Engine


def settle(
    ports: Ports,
    ledger: Ledger,
    emit: progress.Listener,
    plan: Plan,
    start: ActivePromotion,
    hold: HeldLease,
    ran: Ran | None,
    ran_on: Mapping[str, Ran],
) -> None:
    """Find what the promotion of `start` created on each engine, restore what ran before, and record the end."""
    name, rollout = plan.environment.name, plan.environment.rollout
    recorded = None if start.mend else ledger.plan_document(name, start.plan_digest)
    jobs: Jobs = jobs_of_earlier_try(recorded, start.steps_done) if recorded is not None else {}

    def settled(host: Host) -> tuple[str, ...]:
        if recorded is not None and ("swarm" in recorded) != bool(host.managers):
            target = "a swarm" if "swarm" in recorded else "an engine"
            return (f"what it changed on {target}, which the file no longer names, was not taken back",)
        if host.managers:
            cluster = FencedCluster(ports.cluster(host.managers), hold.check)
            return _settle_swarm(ports, cluster, plan, start, ran)
        engine = FencedEngine(ports.engine(host.engine), hold.check)
        found = _settle(ports, engine, plan, start, recorded, ran if rollout is None else ran_on.get(host.name))
        return tuple(f"{host.name}: {problem}" if host.name else problem for problem in found)

    problems: tuple[str, ...] = ()
    for host in plan.environment.hosts:
        try:
            problems += settled(host)
        except (EngineLost, EngineError) as failed:
            if rollout is None:
                raise
            error = failed.error if isinstance(failed, EngineLost) else failed
            problems += (f"{host.shown} does not answer: {error.message}",)
    reasons = ("an earlier run was interrupted here; what it had begun was taken back", *problems, *sentences(jobs))
    emit(progress.Notice(f"{name}: {reasons[0]}"))
    fact = facts.Failed(
        plan_digest=start.plan_digest,
        promotion=start.promotion,
        reason_code=str(ReasonCode.INTERRUPTED),
        reasons=reasons,
        evidence=(),
        touched=True,
        left=bool(problems),
        irreversible=list(jobs) or None,
    )
    ledger.append(fact, name, start.release, lambda _: hold.check())


def _settle_swarm(ports: Ports, cluster: FencedCluster, plan: Plan, start: ActivePromotion, ran: Ran | None) -> tuple[str, ...]:
    """Return the services of a swarm to what is recorded, and return what could not be restored."""
    namespace = Namespace(plan.pipeline, plan.environment.name)
    sweep(cluster, namespace, ports.gone, leased=True)
    if start.mend:
        return ()
    found = [c for c in cluster.find(namespace.labels) if promotion_of(c.labels) == start.promotion]
    touched = {service_of(one.labels): one.name for one in found}
    if not touched:
        return ()
    restoring = SwarmRestoring(ports.uninterruptible(), cluster, start.promotion, lambda _: None)
    return restoring.go(touched, ran).problems


def _settle(
    ports: Ports, engine: Engine, plan: Plan, start: ActivePromotion, recorded: Mapping[str, Any] | None, ran: Ran | None
) -> tuple[str, ...]:
    """Restore one engine, and return what could not be restored."""
    namespace = Namespace(plan.pipeline, plan.environment.name)
    sweep(engine, namespace, ports.gone, leased=True)
    if start.mend:
        return ()
    found = [c for c in engine.find(namespace.labels) if role_of(c.labels) != Role.JOB]
    strategy = recorded_strategy(recorded, plan.environment)(engine, ports.patient, ports.secrets, None, start.at)
    made = Failed(namespace, start.promotion, slots_of(found, service_of))
    return restore(ports, engine, strategy, made, ran, lambda _: None).problems
