"""The approval gate: enough different people approved exactly this plan, and no one rejected it.

A vote counts when it names this environment, release, plan, policy and what runs there now, has not expired,
was not used before, and comes from a person who may vote. People are counted, not votes, and a key counts once.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from promoter.config.spec import Duration, Shape
from promoter.gates.check_base import GateShape
from promoter.gates.context import GateContext
from promoter.model.names import skeleton, spelled
from promoter.model.verdict import ReasonCode, Verdict, passed, refused, waiting
from promoter.model.vote import REVIEWED, SIGNED, Grade, Vote

_REFUSES = (
    ReasonCode.APPROVAL_STALE,
    ReasonCode.POLICY_CHANGED,
    ReasonCode.APPROVAL_WRONG_ENVIRONMENT,
    ReasonCode.SIGNATURE_INVALID,
    ReasonCode.SIGNER_UNKNOWN,
    ReasonCode.KEY_REVOKED,
)
"""Codes that refuse: the approval is for something else or not by the named person. Other votes can still open the gate."""
_STRENGTH: Mapping[str, int] = {Grade.ASSERTED: 0, Grade.PLATFORM: 1, Grade.SIGNED: 2}


class Quota(Shape):
    """A quota: at least `min` of the votes must come from people of `role`."""

    role: str
    min: int = Field(default=1, ge=1)


class Approval(GateShape):
    """The gate in the file. `from` names people or roles; by default any signer may vote, or anyone if there are no signers."""

    kind: ClassVar[str] = "approval"

    min: int = Field(default=1, ge=1)
    from_: tuple[str, ...] | None = Field(default=None, alias="from", min_length=1)
    require: tuple[Quota, ...] = ()
    exclude: tuple[Literal["requester", "author"], ...] = ()
    expires: Duration | None = None
    grade: Grade = Grade.ASSERTED

    def title(self) -> str:
        people = "1 person" if self.min == 1 else f"{self.min} people"
        proof = {Grade.SIGNED: f"{SIGNED} ", Grade.PLATFORM: f"{REVIEWED} "}.get(self.grade, "")
        return f"{proof}approval of {people}" + (f" from {', '.join(self.from_)}" if self.from_ else "")


def electorate(gate: Approval, roles: Mapping[str, tuple[str, ...]], signers: tuple[str, ...] | None) -> frozenset[str] | None:
    """Return who may vote; None means anyone."""
    if gate.from_ is not None:
        return frozenset(person for name in gate.from_ for person in roles.get(name, (name,)))
    return None if signers is None else frozenset(signers)


def voters(
    gates: Sequence[Approval], roles: Mapping[str, tuple[str, ...]], signers: tuple[str, ...] | None
) -> frozenset[str] | None:
    """Return who may vote on at least one of the gates; None means anyone."""
    known = [who for gate in gates if (who := electorate(gate, roles, signers)) is not None]
    return frozenset().union(*known) if len(known) == len(gates) else None


def own_doing(gates: Sequence[Approval], who: str, requested_by: str, author: str | None) -> str | None:
    """Return why `who` may not approve their own work, if a gate excludes that."""
    excluded = {part for gate in gates for part in gate.exclude}
    if "requester" in excluded and who == requested_by:
        return "requested this promotion"
    if "author" in excluded and who == author:
        return "wrote the last commit of this release"
    return None


def evaluate_approval(gate: Approval, case: GateContext) -> Verdict:
    votes = [v for v in case.votes if v.environment == case.environment and v.release == case.release.id]
    may_vote = electorate(gate, case.roles, case.signers)
    eligible = [v for v in votes if may_vote is None or v.principal in may_vote]
    for vote in eligible:
        if vote.decision == "reject" and vote.plan_digest == case.plan_digest:
            return refused(ReasonCode.REJECTED, f"{vote.principal} rejected it" + (f": {vote.comment}" if vote.comment else ""))
    good = _good(gate, case, eligible)
    unmet = [q for q in gate.require if len(good.keys() & set(case.roles.get(q.role, ()))) < q.min]
    if len(good) >= gate.min and not unmet:
        return passed(f"approved by {', '.join(sorted(good))}")
    cast = [v for v in votes if v.decision == "approve" and v.seq > case.requested_seq]
    objections = [o for v in cast if (o := _objection(gate, case, v) or _duplicate(v, good)) is not None]
    objections.sort(key=lambda one: one[0] is not ReasonCode.KEY_REVOKED)  # a revoked key explains why the policy differs
    return _still_missing(gate, good, unmet, objections, may_vote)


def counting(gate: Approval, case: GateContext) -> tuple[Vote, ...]:
    """Return the votes that a start under this gate consumes."""
    may_vote = electorate(gate, case.roles, case.signers)
    return tuple(_good(gate, case, [v for v in case.votes if may_vote is None or v.principal in may_vote]).values())


def _good(gate: Approval, case: GateContext, eligible: list[Vote]) -> dict[str, Vote]:
    """Return the votes that count, by person: the latest of each; if two people signed with one key, only the first."""
    latest: dict[str, Vote] = {}
    for vote in sorted(eligible, key=lambda v: v.seq):
        if vote.decision == "approve" and _objection(gate, case, vote) is None:
            latest[vote.principal] = vote
    good: dict[str, Vote] = {}
    taken: set[str] = set()
    for person, vote in sorted(latest.items(), key=lambda item: item[1].seq):
        known_by = {skeleton(person), *((vote.key,) if vote.key else ())}
        if taken.isdisjoint(known_by):
            good[person] = vote
            taken |= known_by
    return good


def _duplicate(vote: Vote, good: Mapping[str, Vote]) -> tuple[ReasonCode, str] | None:
    """Return why a vote duplicates another: the same key, or a name that looks the same, proves only one person."""
    like = next((person for person in good if person != vote.principal and skeleton(person) == skeleton(vote.principal)), None)
    if like is not None and vote.principal not in good:
        return ReasonCode.APPROVALS_MISSING, f"the approval by {spelled(vote.principal)} looks like one by {spelled(like)}"
    other = next((person for person, one in good.items() if one.key == vote.key and person != vote.principal), None)
    if vote.key is None or other is None or vote.principal in good:
        return None
    return ReasonCode.APPROVALS_MISSING, f"the approval by {vote.principal} was signed with the same key as that by {other}"


def _objection(gate: Approval, case: GateContext, vote: Vote) -> tuple[ReasonCode, str] | None:
    """Return why a vote does not count, or None if it counts."""
    who = f"the approval by {vote.principal}"
    if vote.flaw is not None:
        return vote.flaw.code, f"{who} does not count: {vote.flaw.sentence}"
    if vote.identity in case.consumed:
        return ReasonCode.APPROVAL_USED, f"{who} was already used by an earlier promotion"
    if (vote.environment, vote.release) != (case.environment, case.release.id):
        return ReasonCode.APPROVAL_WRONG_ENVIRONMENT, f"{who} is for release {vote.release[:12]} in {vote.environment}"
    if vote.plan_digest != case.plan_digest:
        return ReasonCode.APPROVAL_STALE, f"{who} is for another plan: the configuration has changed since"
    if vote.policy_digest != case.policy_digest:
        return ReasonCode.POLICY_CHANGED, f"{who} is stale: gates, roles or signers have changed since"
    if vote.from_release != case.running:
        return ReasonCode.APPROVAL_STALE, f"{who} is stale: what runs in {case.environment} has changed since"
    if _expired(gate, case, vote):
        return ReasonCode.APPROVAL_EXPIRED, f"{who} has expired"
    if _STRENGTH.get(vote.grade, 0) < _STRENGTH[gate.grade]:
        return ReasonCode.APPROVALS_MISSING, f"{who} is only {vote.grade}, but this gate requires {gate.grade}"
    if "requester" in gate.exclude and vote.principal == case.requested_by:
        return ReasonCode.SELF_APPROVAL, f"{who} does not count: they requested this promotion"
    if "author" in gate.exclude and vote.principal == case.author:
        return ReasonCode.SELF_APPROVAL, f"{who} does not count: they wrote the last commit"
    return None


def _expired(gate: Approval, case: GateContext, vote: Vote) -> bool:
    ends = [vote.expires_at] if vote.expires_at else []
    if gate.expires is not None:
        ends.append(vote.at + gate.expires)
    return any(case.now >= end for end in ends)


def _still_missing(
    gate: Approval,
    good: Mapping[str, Vote],
    unmet: list[Quota],
    objections: list[tuple[ReasonCode, str]],
    may_vote: frozenset[str] | None,
) -> Verdict:
    summary = f"{len(good)} of {gate.min} approvals" + (f" (by {', '.join(sorted(good))})" if good else "")
    asked = "anyone" if may_vote is None else ", ".join(gate.from_ or sorted(may_vote))
    sentences = [f"{summary}; may approve: {asked}"]
    sentences += [f"needs {quota.min} from role {quota.role}" for quota in unmet]
    sentences += [sentence for _, sentence in objections]
    stale = next((code for code, _ in objections if code in _REFUSES), None)
    if stale is not None:
        return refused(stale, "; ".join(sentences))
    code = ReasonCode.APPROVALS_MISSING
    if objections:
        code = objections[-1][0]
    elif len(good) >= gate.min and unmet:
        code = ReasonCode.ROLE_MISSING
    return waiting(code, "; ".join(sentences))
