"""Making a signed statement of a decision: which key, over which facts, and whether it would count.

`approve.py` shows what is decided on; `gates/approval/` says which votes count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

from promoter.gates.approval.ssh.verify import Bad, verify
from promoter.ledger.facts import Approved, Attested, Overridden, Payload, Rejected
from promoter.ledger.state import State
from promoter.model.errors import CallerError, Refused
from promoter.model.release import Release
from promoter.model.statement import Decision, Statement, subject_of
from promoter.model.timestamps import stamp
from promoter.model.vote import Grade
from promoter.usecases.context import Context

_VOTES: Mapping[str, type[Approved | Rejected | Overridden]] = {
    Decision.APPROVE: Approved,
    Decision.REJECT: Rejected,
    Decision.OVERRIDE: Overridden,
}


@dataclass(frozen=True, slots=True)
class VoteSubject:
    """What is decided on."""

    release: Release
    environment: str
    plan_digest: str
    policy_digest: str
    from_release: Release | None
    requested_by: str


@dataclass(frozen=True, slots=True)
class VoteDraft:
    """One decision on it. `expires` is how long it counts from the moment of signing."""

    matter: VoteSubject
    decision: str
    comment: str
    role: str | None
    expires: timedelta | None
    reviews: str | None = None


def key_for(ctx: Context, grades: Iterable[str], named: str | None, run: str | None = None) -> str | None:
    """The key to sign with: named, set, or git's own where a name alone does not count. None: do not sign.

    `run` is the CI run whose review on the platform might count too.
    """
    key, grades = named or ctx.key, set(grades)
    if key is not None or grades <= {Grade.ASSERTED}:
        return key
    if (gits := ctx.git_key()) is not None:
        return gits
    if Grade.SIGNED not in grades:
        page = f"the page of the run {run}" if run else "the page of the CI run that asks"
        raise CallerError(
            "only reviews on the platform and signed votes count here, and no key is named",
            hint=f"review the deployment on {page}; or sign: --key ~/.ssh/id_ed25519, PROMOTER_KEY, or git's own key",
        )
    raise CallerError(
        "only signed votes count here, and no key is named",
        hint="--key ~/.ssh/id_ed25519 (or the .pub of a key in your agent), PROMOTER_KEY, or git's own SSH signing key",
    )


def vote_of(ctx: Context, ballot: VoteDraft, key: str | None, state: State) -> Payload:
    """The vote that would follow `state`.

    What is signed names the fact before it, so that nobody can take facts away from under it; when somebody else
    is first, it is signed again.
    """
    said = _statement(ctx, ballot, state)
    common: dict[str, Any] = {
        "plan_digest": said.plan_digest,
        "from_release": said.from_release,
        "policy_digest": said.policy_digest,
        "principal": said.principal,
        "role": said.role,
        "grade": str(Grade.ASSERTED if key is None else Grade.SIGNED),
        "comment": said.comment,
        "expires_at": stamp(said.expires_at) if said.expires_at else None,
        "ledger_head": said.ledger_head,
        "envelope": None if key is None else _envelope(ctx, said, key),
    }
    if said.reviews is not None:
        return Attested(**common, reviews=said.reviews)
    return _VOTES[ballot.decision](**common)


def _statement(ctx: Context, ballot: VoteDraft, state: State) -> Statement:
    now, matter = ctx.ports.clock.now(), ballot.matter
    return Statement(
        subject=subject_of(matter.release), decision=ballot.decision, pipeline=ctx.name, environment=matter.environment,
        release=matter.release.id, plan_digest=matter.plan_digest,
        from_release=matter.from_release.id if matter.from_release else None, policy_digest=matter.policy_digest,
        requested_by=matter.requested_by, principal=ctx.actor, role=ballot.role, issued_at=now,
        expires_at=now + ballot.expires if ballot.expires else None, comment=ballot.comment, nonce=token_hex(16),
        ledger_head=state.head.digest, ledger_seq=state.head.seq, reviews=ballot.reviews,
    )  # fmt: skip


def _envelope(ctx: Context, said: Statement, key: str) -> dict[str, str]:
    """Raises Refused when the signature would not count: better now than at the gate."""
    if ctx.pipeline.trust is None:
        raise CallerError(
            "the pipeline names no `approvers`, so nobody could check this signature",
            hint="name an allowed_signers file: `approvers: .promoter/allowed_signers`; or vote without --key",
        )
    assert ctx.ports.signer is not None
    text = said.text()
    signature = ctx.ports.signer.sign(text, key)
    found = verify(text.encode(), signature, said.principal, ctx.pipeline.trust, ctx.ports.clock.now())
    if isinstance(found, Bad):
        raise Refused(
            f"this signature would not count: {found.sentence}", found.code,
            hint=f"you vote as {said.principal}: --actor names another person, --key another key",
        )  # fmt: skip
    return {"statement": text, "signature": signature}
