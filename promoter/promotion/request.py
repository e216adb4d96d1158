"""Ask for votes: the fact that records which release asks to enter, with its whole plan."""

from collections.abc import Mapping

from promoter.gates.approval.rule import Approval
from promoter.ledger.facts import Requested
from promoter.model.verdict import Outcome, ReasonCode
from promoter.model.vote import Grade
from promoter.pipeline.policy import policy_of
from promoter.promotion import progress
from promoter.promotion.admission.holds import superseded_by
from promoter.promotion.admission.result import Admission
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.plan import Plan


def request_promotion(env: EnvironmentContext, plan: Plan, admission: Admission) -> None:
    """Record the request, unless it is already recorded, or no vote could admit the release."""
    if not admission.asks_for_votes or _is_requested(env, plan):
        return
    case, options = env.controller.case(plan), env.options
    supersedes = [] if options.rollback else superseded_by(env.ledger.state, env.name, plan.release)
    code = ReasonCode.OK if admission.blocking is None else admission.blocking.verdict.code
    fact = Requested(
        plan_digest=plan.digest,
        plan=plan.document(),
        from_release=case.running,
        policy_digest=case.policy_digest,
        requested_by=options.actor,
        reason_code=str(code),
        reasons=admission.reasons,
        gates=admission.documents(),
        supersedes=supersedes,
        rollback=options.rollback,
        rules=policy_of(env.file.pipeline, plan.environment),
        policy=pinned_policy(env, plan),
        run=options.run or None,
    )
    env.ledger.append(fact, env.name, plan.release.id)
    if supersedes:
        env.emit(progress.Superseded(env.name, plan.release.id, tuple(str(one["release"]) for one in supersedes)))


def pinned_policy(env: EnvironmentContext, plan: Plan) -> Mapping[str, object] | None:
    """Return the refs that the policy was compared with, for the record; None if there are none, or if it differs."""
    held = env.controller.holding(plan)
    return held.document(env.file.pipeline) if held is not None and held.verdict.outcome is Outcome.PASSED else None


def _is_requested(env: EnvironmentContext, plan: Plan) -> bool:
    request = env.entry.request
    if request is None or _asks_itself(env, plan):
        return False
    case = env.controller.case(plan)
    recorded = (request.release, request.plan_digest, request.from_release, request.policy_digest)
    return recorded == (plan.release.id, plan.digest, case.running, case.policy_digest)


def _asks_itself(env: EnvironmentContext, plan: Plan) -> bool:
    """Return whether this CI run must record its own request, because platform reviews count only for their own run."""
    wanted = any(isinstance(gate, Approval) and gate.grade is Grade.PLATFORM for gate in plan.environment.gates)
    return wanted and env.options.run is not None and env.entry.asked_by.get(env.options.run) is None
