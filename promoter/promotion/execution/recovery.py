"""Settling a promotion that was interrupted and will not be resumed: what it put in place is taken back.

It is undone by the strategy that it was started with, which its recorded plan names.
"""

from promoter.ledger import facts
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.ledger.state import ActivePromotion
from promoter.model.labels import Namespace, Role, role_of, service_of
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.execution.completion import restore
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.job import Ran
from promoter.promotion.execution.strategies.protocol import Failed
from promoter.promotion.execution.strategies.registry import recorded_strategy
from promoter.promotion.execution.strategies.restore import slots_of
from promoter.promotion.irreversible import Jobs, jobs_of_earlier_try, sentences
from promoter.promotion.plan import Plan
from promoter.promotion.ports.bundle import Ports


def settle(
    ports: Ports, ledger: Ledger, emit: progress.Listener, plan: Plan, start: ActivePromotion, hold: HeldLease, ran: Ran | None
) -> None:
    """Find what the promotion of `start` created on the engine, restore what ran before, and record the end."""
    name = plan.environment.name
    engine = FencedEngine(ports.engine(plan.environment.engines[0]), hold.check)
    namespace = Namespace(plan.pipeline, name)
    sweep(engine, namespace, ports.gone, leased=True)
    problems: tuple[str, ...] = ()
    jobs: Jobs = {}
    if not start.mend:
        found = [c for c in engine.find(namespace.labels) if role_of(c.labels) != Role.JOB]
        recorded = ledger.plan_document(name, start.plan_digest)
        jobs = jobs_of_earlier_try(recorded, start.steps_done) if recorded is not None else {}
        strategy = recorded_strategy(recorded, plan.environment)(engine, ports.patient, ports.secrets, None, start.at)
        made = Failed(namespace, start.promotion, slots_of(found, service_of))
        problems = restore(ports, engine, strategy, made, ran, lambda _: None).problems
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
