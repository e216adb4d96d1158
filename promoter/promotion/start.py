"""Start an admitted promotion under the lease: record `started`, read what ran before, and call the runner."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from promoter.gates.evaluate import consumed_votes
from promoter.ledger.deployment import Deployment
from promoter.ledger.facts import Started
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Guard
from promoter.ledger.state import State
from promoter.model.errors import EngineError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Host
from promoter.promotion import progress
from promoter.promotion.admission.evaluate import gates_of_rollback
from promoter.promotion.admission.overrides import overrides_used
from promoter.promotion.admission.result import Admission
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.execution.job import Execution, Ran
from promoter.promotion.execution.recovery import settle
from promoter.promotion.execution.runner import execute_plan
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.inspection.current import promotion_id
from promoter.promotion.inspection.reuse import reusable
from promoter.promotion.plan import Plan
from promoter.promotion.recorded_plan import recorded_plan
from promoter.promotion.request import pinned_policy, request_promotion
from promoter.promotion.results import EnvironmentResult, Status
from promoter.promotion.steps import Before


class ClosedMeanwhile(Exception):
    """A veto, a pin or a reject was recorded after the admission and before the promotion began."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        super().__init__()


def promote_admitted(env: EnvironmentContext, plan: Plan, hold: HeldLease, gates: Admission) -> EnvironmentResult:
    """Promote what `gates` admitted. Raise ClosedMeanwhile if that changed before the promotion began."""
    evaluated_at = env.ledger.state.head
    _settle_abandoned(env, plan, hold)
    override = env.controller.overridden(plan)
    resumed = _is_resumed(env, plan)
    hold.check()
    if not resumed:
        request_promotion(env, plan, Admission())
    fact = replace(
        _started(env, plan, hold, resumed=resumed),
        approvals=_consumed(env, plan, overridden=override is not None),
        gates=gates.documents(),
        policy=pinned_policy(env, plan),
    )

    def guard(state: State) -> None:
        """Evaluate again if other facts were recorded meanwhile."""
        hold.check()
        if state.head != evaluated_at and not (again := env.controller.evaluate(plan, run_checks=True)).admitted:
            raise ClosedMeanwhile(again)

    done = frozenset(env.entry.start.steps_done) if env.entry.start is not None and resumed else frozenset[str]()
    result = _run(env, plan, hold, fact, guard, done)
    if gates.results:
        result = replace(result, details={**result.details, "gates": gates.documents()})
    if override is not None and result.status is Status.DEPLOYED:
        return replace(result, code=ReasonCode.OVERRIDDEN, reasons=(override.verdict.sentence,))
    return result


def repair_recorded(env: EnvironmentContext, plan: Plan, hold: HeldLease) -> EnvironmentResult:
    """Make the recorded deployment run again: `before` jobs are not repeated, and no gate is evaluated."""
    _settle_abandoned(env, plan, hold)
    hold.check()

    def guard(_: State) -> None:
        hold.check()
        if not (again := env.controller.of_repair(plan)).admitted:
            raise ClosedMeanwhile(again)

    resumed = _is_resumed(env, plan)
    done = frozenset(step.id for step in plan.steps if isinstance(step, Before))
    done |= frozenset(env.entry.start.steps_done) if env.entry.start is not None and resumed else frozenset()
    return _run(env, plan, hold, replace(_started(env, plan, hold, resumed=resumed), mend=True), guard, done)


# ------------------------------------------------------------ parts
def _is_resumed(env: EnvironmentContext, plan: Plan) -> bool:
    """Return whether an earlier try of this promotion was interrupted."""
    start = env.entry.start
    return start is not None and start.promotion == promotion_id(env.ledger.state, plan)


def _started(env: EnvironmentContext, plan: Plan, hold: HeldLease, *, resumed: bool) -> Started:
    current, cause, lease = env.entry.current, env.options.cause, hold.lease
    return Started(
        plan_digest=plan.digest,
        promotion=promotion_id(env.ledger.state, plan),
        approvals=(),
        from_release=current.release if current else None,
        mend=False,
        resumed=resumed,
        lease={"owner": lease.owner, "token": lease.token, "took_over": lease.took_over},
        gates=[],
        policy=None,
        rollback=cause.rollback,
        reason=cause.reason,
    )


def _run(
    env: EnvironmentContext, plan: Plan, hold: HeldLease, fact: Started, guard: Guard, done: frozenset[str]
) -> EnvironmentResult:
    earlier_try = env.entry.start if fact.resumed else None
    entry = env.entry
    job = Execution(
        plan,
        fact.promotion,
        env.file.pipeline.directory,
        fact.from_release,
        fact.mend,
        done,
        env.options.cause,
        fact.resumed,
        env.ledger.state.chain,
        reusable(entry, plan, lambda digest: _document(env, digest)),
        _ran_on_same_target(env, plan),
        earlier_try.at if earlier_try is not None else env.ports.clock.now(),
        _ran_on_hosts(env, plan),
    )
    _report_left_hosts(env, plan)
    env.ledger.append(fact, env.name, plan.release.id, guard)
    env.emit(progress.PromotionStarted(env.name, plan.release, plan.digest, fact.mend))
    return execute_plan(env.ports, env.ledger, env.emit, job, hold)


def _settle_abandoned(env: EnvironmentContext, plan: Plan, hold: HeldLease) -> None:
    """Undo what an interrupted promotion of another plan left, so that it is not mistaken for the deployment."""
    start = env.entry.start
    if start is not None and not _is_resumed(env, plan):
        settle(env.ports, env.ledger, env.emit, plan, start, hold, _ran_on_same_target(env, plan), _ran_on_hosts(env, plan))


def _ran_on_hosts(env: EnvironmentContext, plan: Plan) -> dict[str, Ran]:
    """Return what runs on each host by the ledger; nothing for an environment on one engine without a name."""
    found: dict[str, Ran] = {}
    current = env.entry.current
    if plan.environment.rollout is None or current is None:
        return found
    for host in plan.environment.hosts:
        there = current.on(host.name) if current.hosts else _ran_on_engine(env, current, host)
        if (ran := _ran(env, plan, there)) is not None:
            found[host.name] = replace(ran, job=replace(ran.job, plan=ran.job.plan.on(host)))
    return found


def _ran_on_engine(env: EnvironmentContext, current: Deployment, host: Host) -> Deployment | None:
    """Return what ran on this host's engine before the file named hosts."""
    with suppress(EngineError):
        if env.ports.at(host).identify().fingerprint == current.engine:
            return current
    return None


def _ran_on_same_target(env: EnvironmentContext, plan: Plan) -> Ran | None:
    """Return what runs there now; None if it runs on an engine and the plan is for a swarm, or the other way round."""
    ran = _ran(env, plan, env.entry.current)
    if ran is None or (ran.job.plan.environment.swarm is None) == (plan.environment.swarm is None):
        return ran
    where = ", ".join(host.shown for host in ran.job.plan.environment.hosts)
    sentence = f"{env.name}: the earlier release still runs on {where}: it is not touched, remove it there yourself"
    env.emit(progress.Notice(sentence))
    return None


def _report_left_hosts(env: EnvironmentContext, plan: Plan) -> None:
    """Report hosts that the file no longer has: what runs there runs on."""
    current, names = env.entry.current, {host.name for host in plan.environment.hosts}
    for name in current.hosts if current is not None else ():
        if name not in names:
            env.emit(
                progress.Notice(f"{env.name}: host {name} is no longer in the file; its containers run on until you remove them")
            )


def _ran(env: EnvironmentContext, plan: Plan, current: Deployment | None) -> Ran | None:
    """Return a deployment with the plan that was promoted; without a recorded plan, with this plan's settings."""
    if current is None:
        return None
    release = env.ledger.state.releases[current.release].release
    document = _document(env, current.plan_digest)
    if document is not None:
        earlier = recorded_plan(document, plan.environment, release, env.file.pipeline.directory, steps_of)
    else:
        services = {name: s for name, s in plan.environment.services.items() if name in release.images}
        earlier = replace(plan, environment=replace(plan.environment, services=services), release=release, recorded=None)
    job = Execution(earlier, current.promotion, env.file.pipeline.directory, None, ledger=env.ledger.state.chain)
    return Ran(current, job)


def _document(env: EnvironmentContext, plan_digest: str) -> Mapping[str, Any] | None:
    return env.ledger.plan_document(env.name, plan_digest)


def _consumed(env: EnvironmentContext, plan: Plan, *, overridden: bool) -> tuple[str, ...]:
    """Return the digests of the facts with the votes that this start uses."""
    case, environment = env.controller.case(plan), plan.environment
    if overridden:
        return overrides_used(environment, case)
    return consumed_votes(gates_of_rollback(environment) if env.options.rollback else environment.gates, case)
