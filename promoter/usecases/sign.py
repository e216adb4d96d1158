"""Make a signed statement of a decision: which key, over which facts, and whether it would count.

`approve.py` shows the case; `gates/approval/` decides which votes count.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any

from promoter.gates.approval.ssh.keys import read_key
from promoter.gates.approval.ssh.verify import Bad, may_sign, verify
from promoter.gates.approval.ssh.wire import Malformed
from promoter.ledger.facts import Approved, Attested, Overridden, Payload, Rejected
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass
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


@dataclass(frozen=True)
class VoteSubject:
    """The subject of a decision."""

    release: Release
    environment: str
    plan_digest: str
    policy_digest: str
    from_release: Release | None
    requested_by: str


@dataclass(frozen=True)
class VoteDraft:
    """One decision. `expires` is how long it counts after signing."""

    matter: VoteSubject
    decision: str
    comment: str
    role: str | None
    expires: timedelta | None
    reviews: str | None = None


def key_for(ctx: Context, grades: Iterable[str], named: str | None, run: str | None = None) -> str | None:
    """Return the key to sign with: named, configured, or git's own if a name alone does not count. None: do not sign.

    `run` is the CI run whose review on the platform may count too.
    """
    key, grades = named or ctx.key, set(grades)
    if key is not None or grades <= {Grade.ASSERTED}:
        return key
    if (gits := ctx.git_key()) is not None:
        return gits
    if Grade.SIGNED not in grades:
        page = f"the page of the run {run}" if run else "the page of the CI run that asks"
        raise CallerError(
            "only reviews on the platform and signed votes count here, and no key was found",
            hint=f"review the deployment on {page}; or sign: use --key ~/.ssh/id_ed25519, PROMOTER_KEY, or git's own key",
        )
    raise CallerError(
        "only signed votes count here, and no key was found",
        hint="use --key ~/.ssh/id_ed25519 (or the .pub of a key in your agent), PROMOTER_KEY, or git's own SSH signing key",
    )


def check_key(ctx: Context, key: str | None) -> None:
    """Refuse a key whose signatures would not count, before anything is shown or signed, as far as its public part is known."""
    if key is None:
        return
    if ctx.pipeline.trust is None:
        raise _no_approvers()
    if ctx.ports.signer is None:
        return
    blob = ctx.ports.signer.public_key(key)
    if blob is None:
        return
    try:
        found = may_sign(read_key(blob), ctx.actor, ctx.pipeline.trust, ctx.ports.clock.now())
    except Malformed:
        return  # ssh-keygen explains what is wrong with it
    if isinstance(found, Bad):
        raise _would_not_count(found, ctx.actor)


def vote_of(ctx: Context, ballot: VoteDraft, key: str | None, state: State) -> Payload:
    """Make the vote that follows `state`.

    The signature covers the digest of the fact before, so that facts before the vote cannot be removed. When another
    fact is appended first, the vote is signed again.
    """
    statement = _statement(ctx, ballot, state)
    common: dict[str, Any] = {
        "plan_digest": statement.plan_digest,
        "from_release": statement.from_release,
        "policy_digest": statement.policy_digest,
        "principal": statement.principal,
        "role": statement.role,
        "grade": str(Grade.ASSERTED if key is None else Grade.SIGNED),
        "comment": statement.comment,
        "expires_at": stamp(statement.expires_at) if statement.expires_at else None,
        "ledger_head": statement.ledger_head,
        "envelope": None if key is None else _envelope(ctx, statement, key),
    }
    if statement.reviews is not None:
        return Attested(**common, reviews=statement.reviews)
    return _VOTES[ballot.decision](**common)


def _statement(ctx: Context, ballot: VoteDraft, state: State) -> Statement:
    now, matter = ctx.ports.clock.now(), ballot.matter
    return Statement(
        subject=subject_of(matter.release),
        decision=ballot.decision,
        pipeline=ctx.name,
        environment=matter.environment,
        release=matter.release.id,
        plan_digest=matter.plan_digest,
        from_release=matter.from_release.id if matter.from_release else None,
        policy_digest=matter.policy_digest,
        requested_by=matter.requested_by,
        principal=ctx.actor,
        role=ballot.role,
        issued_at=now,
        expires_at=now + ballot.expires if ballot.expires else None,
        comment=ballot.comment,
        nonce=token_hex(16),
        ledger_head=state.head.digest,
        ledger_seq=state.head.seq,
        reviews=ballot.reviews,
    )


def _envelope(ctx: Context, statement: Statement, key: str) -> dict[str, str]:
    """Sign the statement. Raise Refused when the signature would not count."""
    if ctx.pipeline.trust is None:
        raise _no_approvers()
    assert ctx.ports.signer is not None
    text = statement.text()
    signature = ctx.ports.signer.sign(text, key)
    found = verify(text.encode(), signature, statement.principal, ctx.pipeline.trust, ctx.ports.clock.now())
    if isinstance(found, Bad):
        raise _would_not_count(found, statement.principal)
    return {"statement": text, "signature": signature}


def _no_approvers() -> CallerError:
    return CallerError(
        "the pipeline names no `approvers`, so this signature cannot be checked",
        hint="name an allowed_signers file: `approvers: .promoter/allowed_signers`; or vote without --key",
    )


def _would_not_count(found: Bad, principal: str) -> Refused:
    hint = f"you vote as {principal}: --actor names another person, --key another key"
    return Refused(f"this signature would not count: {found.sentence}", found.code, hint=hint)
