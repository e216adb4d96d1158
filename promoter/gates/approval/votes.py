"""Check votes against their signatures: a vote counts only if the signed statement says the same.

Anyone with write access to the ledger can write a fact. A person signed the statement in its envelope, so every
value of the fact that a gate reads must be in the statement too. A vote that fails keeps its flaw: the
gate reports it and does not count it. A reject needs no proof: closing a gate is always safe.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.ssh.verify import Bad, verify
from promoter.model.release import Release
from promoter.model.statement import Statement, read_statement, subject_of
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Flaw, Vote


def checked(votes: Iterable[Vote], pipeline: str, release: Release, trust: Trust | None, now: datetime) -> tuple[Vote, ...]:
    """Return the votes with their keys and flaws. They are evaluated at `now`, never at a time that a signer wrote."""
    return tuple(_checked(vote, pipeline, release, trust, now) for vote in votes)


def _checked(vote: Vote, pipeline: str, release: Release, trust: Trust | None, now: datetime) -> Vote:
    if vote.envelope is None:
        if vote.grade == "signed":
            return replace(vote, flaw=Flaw(ReasonCode.SIGNATURE_INVALID, "it is marked as signed, but has no signature"))
        if vote.grade == "platform" and vote.imported is None:
            message = "it is marked as a platform review, but names no review"
            return replace(vote, flaw=Flaw(ReasonCode.SIGNATURE_INVALID, message))
        return vote
    try:
        signed = read_statement(vote.envelope.statement)
    except ValueError as error:
        return replace(vote, flaw=Flaw(ReasonCode.SIGNATURE_INVALID, f"cannot read its statement: {error}"))
    if trust is None:
        return replace(vote, flaw=Flaw(ReasonCode.SIGNER_UNKNOWN, "the pipeline names no `approvers`, so no keys are known"))

    found = verify(vote.envelope.statement.encode(), vote.envelope.signature, signed.principal, trust, now)
    if isinstance(found, Bad):
        return replace(vote, flaw=Flaw(found.code, found.sentence))
    flaw = _misfit(vote, signed, pipeline, release)
    return replace(vote, flaw=flaw, key=found.key, grade="signed", expires_at=signed.expires_at)


def _misfit(vote: Vote, signed: Statement, pipeline: str, release: Release) -> Flaw | None:
    """Compare the signed statement with the fact and with what is requested."""
    wrong_target, stale = ReasonCode.APPROVAL_WRONG_ENVIRONMENT, ReasonCode.APPROVAL_STALE
    forged, moved = ReasonCode.SIGNATURE_INVALID, ReasonCode.POLICY_CHANGED
    rules = (
        (signed.pipeline == pipeline, wrong_target, f"it was signed for pipeline {signed.pipeline}"),
        (signed.environment == vote.environment, wrong_target, f"it was signed for environment {signed.environment}"),
        (signed.release == vote.release == release.id, wrong_target, f"it was signed for release {signed.release[:12]}"),
        (signed.subject == subject_of(release), wrong_target, "it was signed for other image digests"),
        (signed.plan_digest == vote.plan_digest, stale, "it was signed for another plan"),
        (signed.from_release == vote.from_release, stale, "it was signed when another release ran in the environment"),
        (signed.policy_digest == vote.policy_digest, moved, "it was signed under other rules (gates, roles, signers)"),
        (
            signed.principal == vote.principal,
            forged,
            f"it was signed as {signed.principal}, but the ledger says {vote.principal}",
        ),
        (signed.decision == vote.decision, forged, f"{signed.decision} was signed, but the ledger says {vote.decision}"),
        (signed.reviews == vote.reviews, forged, "it was signed for another override"),
        (
            signed.ledger_head == vote.prev,
            stale,
            "it was signed for another history of this ledger: facts that the signer saw are missing, maybe a reject",
        ),
    )
    return next((Flaw(code, sentence) for holds, code, sentence in rules if not holds), None)
