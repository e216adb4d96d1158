"""The input of an environment's gates: the facts of the ledger about one release, with each vote checked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from promoter.gates.approval.votes import checked
from promoter.gates.context import GateContext, Stay, person
from promoter.gates.registry import Gate
from promoter.ledger.state import State
from promoter.model.vote import Vote
from promoter.pipeline.model import Environment, Pipeline
from promoter.pipeline.policy import policy_digest
from promoter.promotion.admission.subject import Subject


def make_case(
    pipeline: Pipeline,
    subject: Subject,
    state: State,
    now: datetime,
    *,
    requested_by: str = "",
    promotion: str = "",
    plan_digest: str = "",
) -> GateContext:
    """Collect everything in the ledger about this release and this environment.

    `plan_digest` is the plan for which votes count; without one, no votes count.
    """
    environment, release = subject.environment, subject.release
    recorded = state.environment(environment.name)
    votes = recorded.votes_for(release.id)
    overrides = [vote for vote in recorded.overrides if vote.release == release.id]
    names = pipeline.identities
    return GateContext(
        environment=environment.name,
        release=release,
        plan_digest=plan_digest,
        policy_digest=policy_digest(pipeline, environment),
        running=recorded.current.release if recorded.current else None,
        requested_by=recorded.request.requested_by if recorded.request else requested_by,
        now=now,
        votes=_by_person(checked(votes, pipeline.name, release, pipeline.trust, now), names),
        requested_seq=recorded.request.seq if recorded.request and recorded.request.plan_digest == plan_digest else 0,
        overrides=_by_person(checked(overrides, pipeline.name, release, pipeline.trust, now), names),
        consumed=recorded.used_by_others((*votes, *overrides), promotion),
        stays=_stays(state),
        roles=pipeline.roles,
        signers=pipeline.signers,
        identities=names,
    )


def _stays(state: State) -> dict[str, Stay]:
    """Return what has run in each environment since when, for gates that ask for a soak time."""
    return {
        name: Stay(entry.current.release, entry.since)
        for name, entry in state.environments.items()
        if entry.current is not None and entry.since is not None
    }


def _by_person(votes: tuple[Vote, ...], names: Mapping[str, str]) -> tuple[Vote, ...]:
    """Rename each voter to one name per person, so that a person who signs and also reviews on the platform counts once."""
    return tuple(replace(vote, principal=person(vote.principal, names)) for vote in votes)


def gates_of_rollback(environment: Environment) -> tuple[Gate, ...]:
    """Return the gates that a rollback must pass."""
    return tuple(gate for gate in environment.gates if not environment.rollback.skips(gate.kind))
