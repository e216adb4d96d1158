"""Judging all gates of an environment: the cheap and certain first, then what must be looked at, approvals last.

What has to be looked at is looked at only when nothing before it is shut; approvals are judged always, so that
people may vote while something else still waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from promoter.ballots import checked
from promoter.gates.approval import Approval, counting, judge_approval
from promoter.gates.case import Case, CheckResult, Stay, Vote, person
from promoter.gates.checks import Check, CommandCheck, ContainerCheck, HttpCheck, judge_check
from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.gates.soak import Soak, judge_soak
from promoter.gates.window import Window, judge_window
from promoter.model.facts import stamp
from promoter.model.verdict import Outcome, Verdict
from promoter.pipeline import Environment, Gate, Pipeline, policy_digest
from promoter.plan import Plan
from promoter.state import State

Look = Callable[[Check], CheckResult]


@dataclass(frozen=True, slots=True)
class Judged:
    """One gate and its verdict. `gate` is the title that people read, `kind` its key in the file, or what else stands there."""

    gate: str
    verdict: Verdict
    kind: str


def make_case(pipeline: Pipeline, plan: Plan, state: State, requested_by: str, now: datetime, promotion: str) -> Case:
    """Everything that the ledger says about this release asking to enter this environment."""
    place = state.environment(plan.environment.name)
    votes = place.votes_for(plan.release.id)
    overrides = [vote for vote in place.overrides if vote.release == plan.release.id]
    stays = {
        name: Stay(entry.current.release, entry.since)
        for name, entry in state.environments.items()
        if entry.current is not None and entry.since is not None
    }
    names = pipeline.identities
    return Case(
        environment=plan.environment.name,
        release=plan.release,
        plan_digest=plan.digest,
        policy_digest=policy_digest(pipeline, plan.environment),
        running=place.current.release if place.current else None,
        requested_by=place.request.requested_by if place.request else requested_by,
        now=now,
        votes=_by_person(checked(votes, pipeline.name, plan.release, pipeline.trust, now), names),
        requested_seq=place.request.seq if place.request and place.request.plan_digest == plan.digest else 0,
        overrides=_by_person(checked(overrides, pipeline.name, plan.release, pipeline.trust, now), names),
        consumed=place.used_by_others((*votes, *overrides), promotion),
        stays=stays,
        roles=pipeline.roles,
        signers=pipeline.signers,
        identities=names,
    )


def _by_person(votes: tuple[Vote, ...], names: Mapping[str, str]) -> tuple[Vote, ...]:
    """Under the one name of each person, so that whoever signs and reviews on the platform counts once."""
    return tuple(replace(vote, principal=person(vote.principal, names)) for vote in votes)


def judge_all(gates: tuple[Gate, ...], case: Case, look: Look | None) -> tuple[Judged, ...]:
    """The verdict of every gate, in the order of the file. Without `look` checks are not carried out."""
    shut = any(
        judge(gate, i, case).outcome is not Outcome.PASSED for i, gate in enumerate(gates) if isinstance(gate, (Soak, Window))
    )
    seen: dict[int, CheckResult] = {}
    for place, gate in enumerate(gates):
        if look is not None and not shut and isinstance(gate, Check):
            seen[place] = look(gate)
            shut = not (seen[place].passed or gate.dry_run)
    case = replace(case, checks=seen)
    return tuple(Judged(gate.title(), judge(gate, i, case), gate.kind) for i, gate in enumerate(gates))


def judge(gate: Gate, place: int, case: Case) -> Verdict:
    match gate:
        case Approval():
            return judge_approval(gate, case)
        case Soak():
            return judge_soak(gate, case)
        case Window():
            return judge_window(gate, case)
        case HttpCheck() | ContainerCheck() | CommandCheck() | MetricCheck() | ScanCheck() | SignatureCheck():
            return judge_check(gate, place, case)
    assert_never(gate)


def gates_of_rollback(environment: Environment) -> tuple[Gate, ...]:
    """Those that the file does not let a rollback pass by."""
    return tuple(gate for gate in environment.gates if not environment.rollback.skips(gate.kind))


def consumed_votes(gates: tuple[Gate, ...], case: Case) -> tuple[str, ...]:
    """Digests of the facts that hold the votes on which a start rests."""
    votes = [vote.digest for gate in gates if isinstance(gate, Approval) for vote in counting(gate, case)]
    return tuple(dict.fromkeys(votes))


def worst(judged: tuple[Judged, ...]) -> Judged | None:
    """The verdict that decides: a refusal before a wait; None when everything is open."""
    for outcome in (Outcome.REFUSED, Outcome.WAITING):
        for one in judged:
            if one.verdict.outcome is outcome:
                return one
    return None


def gate_document(one: Judged) -> dict[str, object]:
    verdict = one.verdict
    opens = stamp(verdict.opens_at) if verdict.opens_at else None
    return {
        "gate": one.gate,
        "outcome": str(verdict.outcome),
        "reason_code": str(verdict.code),
        "sentence": verdict.sentence,
        "opens_at": opens,
    }
