"""Emergencies: whether an override replaces the gates, and whether an earlier override was reviewed."""

from promoter.gates.approval.votes import checked
from promoter.gates.context import GateContext
from promoter.gates.evaluate import GateResult
from promoter.gates.override import evaluate_override, evaluate_review, used_overrides
from promoter.gates.rule import Rule
from promoter.ledger.attempts import PendingReview
from promoter.ledger.state import State
from promoter.model.verdict import Outcome, Verdict
from promoter.model.vote import Vote
from promoter.pipeline.model import Environment, Pipeline


def override_of(environment: Environment, case: GateContext) -> GateResult | None:
    """Return the result of the overrides for exactly this plan; None if there are none, or the file allows none."""
    verdict = evaluate_override(environment.override, case) if environment.override is not None else None
    return None if verdict is None else GateResult("override", verdict, Rule.OVERRIDE)


def overrides_used(environment: Environment, case: GateContext) -> tuple[str, ...]:
    """Return the digests of the override facts that a start uses."""
    policy = environment.override
    return tuple(vote.digest for vote in used_overrides(policy, case)) if policy is not None else ()


def missing_reviews(pipeline: Pipeline, environment: Environment, state: State, case: GateContext) -> tuple[GateResult, ...]:
    """Return a refusal for each override in this environment that no second person has reviewed."""
    pending = state.environment(case.environment).pending_reviews
    verdicts = [review_verdict(pipeline, environment, state, case, one) for one in pending]
    return tuple(GateResult("review", verdict, Rule.REVIEW) for verdict in verdicts if verdict.outcome is not Outcome.PASSED)


def review_verdict(
    pipeline: Pipeline, environment: Environment, state: State, case: GateContext, pending: PendingReview
) -> Verdict:
    release = state.releases[pending.release].release

    def check(votes: tuple[Vote, ...]) -> tuple[Vote, ...]:
        return checked(votes, pipeline.name, release, pipeline.trust, case.now)

    reviews = tuple(vote for vote in state.environment(case.environment).reviews if vote.reviews == pending.overrides[0].digest)
    return evaluate_review(environment.override, case, check(pending.overrides), pending.at, check(reviews))
