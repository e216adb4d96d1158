"""Promote one release to one environment: check whether there is anything to do, evaluate the gates, and run the steps.

Gates are evaluated twice: before the lease is taken, and again under the lease with the newest facts, because a vote, a
pin or another promotion may have been recorded in between.
"""

from promoter.gates.evaluate import GateResult
from promoter.ledger.lease import HeldLease, holding
from promoter.model.errors import CallerError, EngineLost, Interrupted, LeaseHeld, LeaseLost, PromoterError
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Host
from promoter.promotion.admission.result import Admission
from promoter.promotion.admission.target import other_engine, other_ledger
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.execution.comeback import Comeback
from promoter.promotion.execution.comeback import settle as settle_engine
from promoter.promotion.execution.fencing import FencedEngine, watched
from promoter.promotion.inspection.current import has_newer, is_current
from promoter.promotion.inspection.hosts import ask_hosts, require_answers
from promoter.promotion.plan import Plan
from promoter.promotion.ports.container import EngineIdentity
from promoter.promotion.reconnect import AWAY
from promoter.promotion.results import EnvironmentResult, Status
from promoter.promotion.start import ClosedMeanwhile, promote_admitted, repair_recorded
from promoter.promotion.waiting import Deadline, wait_for_engine, wait_for_gates, wait_for_lease

RESUMES = "the engine connection was lost: run the same command again to resume"


def promote_to(env: EnvironmentContext, release: Release) -> EnvironmentResult:
    """Promote a release. Errors from outside become a failed environment; an error of the caller is raised."""
    try:
        return _until_it_ends(env, release)
    except LeaseLost as error:
        return env.result(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, "another run has taken the environment over")
    except Interrupted:
        return env.result(Status.INTERRUPTED, ReasonCode.INTERRUPTED, f"interrupted; {env.name} is as it was")
    except PromoterError as error:
        if error.exit_code == 2:
            raise
        return env.result(Status.FAILED, error.reason_code or ReasonCode.START_FAILED, error.message, error.hint)


def not_reached(env: EnvironmentContext, why: str) -> EnvironmentResult:
    """Return the result of an environment that was not started, because an environment that it needs was not reached."""
    return env.result(Status.NOT_REACHED, ReasonCode.NOT_VERIFIED_UPSTREAM, why)


# ------------------------------------------------------------ parts
def _until_it_ends(env: EnvironmentContext, release: Release) -> EnvironmentResult:
    """Try again after waiting for another run, and after an engine was gone and came back."""
    for_lease, for_engine = Deadline.after(env.ports.clock, env.options.wait_lock), None
    comeback: Comeback | None = None
    while True:
        try:
            with watched():
                return _try(env, release, comeback)
        except LeaseHeld as error:
            if not wait_for_lease(env, for_lease):
                return env.result(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, error.hint)
        except EngineLost as lost:
            cause = lost.error
            for_engine = for_engine or Deadline.after(env.ports.clock, AWAY)
            try:
                comeback = wait_for_engine(env, env.runtimes(env.controller.plan(release)), cause, for_engine)
            except Interrupted:
                return env.result(Status.INTERRUPTED, ReasonCode.INTERRUPTED, f"interrupted: {cause.message}", RESUMES)
            if comeback is None:
                return env.result(Status.FAILED, cause.reason_code or ReasonCode.START_FAILED, cause.message, RESUMES)


def _try(env: EnvironmentContext, release: Release, comeback: Comeback | None) -> EnvironmentResult:
    env.ledger.refresh()
    if env.options.pass_older and has_newer(env.ledger.state, env.entry, release):
        return _nothing_to_do(env, None, f"{env.name} had this release and has a newer one now")
    plan = env.controller.plan(release)
    if not (target := _evaluate_target(env, plan)).admitted:
        return env.not_admitted(plan, target)
    if env.nothing_to_do(plan):
        return _nothing_to_do(env, plan)
    repairs = is_current(env.entry, plan)
    gates = env.controller.of_repair(plan) if repairs else wait_for_gates(env, plan)
    if not gates.admitted:
        return _closed(env, plan, gates) if repairs else env.not_admitted(plan, gates)
    store, clock, options = env.ledger.store, env.ports.clock, env.options
    with holding(store, env.name, options.owner, clock, options.lease_ttl, env.ports.gone) as hold:
        env.ledger.refresh()
        if env.nothing_to_do(plan):
            return _nothing_to_do(env, plan)
        again = env.controller.of_repair(plan) if repairs else env.controller.under_lease(plan)
        if not again.admitted:
            return _closed(env, plan, again)
        _settle_engine(env, plan, hold, comeback)
        try:
            return repair_recorded(env, plan, hold) if repairs else promote_admitted(env, plan, hold, gates)
        except ClosedMeanwhile as closed:
            return env.not_admitted(plan, closed.admission)


def _nothing_to_do(env: EnvironmentContext, plan: Plan | None, *reasons: str) -> EnvironmentResult:
    return env.result(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, *reasons, plan=plan)


def _closed(env: EnvironmentContext, plan: Plan, admission: Admission) -> EnvironmentResult:
    env.show(admission)
    return env.not_admitted(plan, admission)


def _evaluate_target(env: EnvironmentContext, plan: Plan) -> Admission:
    """Refuse an engine or a ledger other than the recorded one, until a person accepts it."""
    current, rollout = env.entry.current, plan.environment.rollout
    names: dict[str, str] = {}

    def other(host: Host) -> GateResult | None:
        engine, found = env.ports.at(host), None
        if rollout is not None:
            _refuse_same(names, host, engine.identify())
        if env.name not in env.options.accept_engine:
            found = other_engine(env.name, current.on(host.name) if current is not None else None, engine)
        if found is None and env.name not in env.options.accept_ledger:
            found = other_ledger(env.namespace, env.ledger.state.chain, env.ledger.store.location, engine)
        return found

    answers = require_answers(plan.environment, ask_hosts(plan.environment.hosts, other))
    return Admission(tuple(answer for _, answer in answers if answer is not None))


def _refuse_same(names: dict[str, str], host: Host, identity: EngineIdentity) -> None:
    """Raise CallerError if another host has the same engine: one would undo what is done for the other."""
    other = names.setdefault(identity.fingerprint, host.name)
    if other != host.name:
        first, second = sorted((other, host.name))
        hint = "`engine` of the environment names this engine twice: remove one of them"
        raise CallerError(f"hosts {first} and {second} have the same engine", hint=hint)


def _settle_engine(env: EnvironmentContext, plan: Plan, hold: HeldLease, comeback: Comeback | None) -> None:
    """Stop the containers that a restarted engine is about to stop, before anything is started beside them."""
    environment = plan.environment
    if comeback is not None and environment.rollout is None and environment.swarm is None:  # a rollout does it itself
        engine = env.ports.engine(environment.hosts[0].engine)
        settle_engine(FencedEngine(engine, hold.check), env.namespace, comeback)
