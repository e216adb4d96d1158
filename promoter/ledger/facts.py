"""Bodies of facts: one class a kind. The reference of facts is generated from these classes.

A field without a default is always in the body, also when it is null. A field whose default is None is left out then.
`Annotated` explains a key if its name is not enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, Any, ClassVar

from promoter.ledger.chain import Kind
from promoter.model.dataclass import dataclass

Document = Mapping[str, Any]
IRREVERSIBLE = "the jobs that were started and cannot be undone: older releases are refused from then on"

HOSTS = "{name: {engine, services}}, or {name: {behind}} with the reason why a host does not have the release"


@dataclass(frozen=True, kw_only=True)
class Payload:
    """The body of a fact."""

    kind: ClassVar[Kind]

    def body(self) -> dict[str, object]:
        """Return the body as it is written."""
        values = ((key, getattr(self, name), always) for name, key, always in _KEYS[self.kind])
        return {key: value for key, value, always in values if always or value is not None}


@dataclass(frozen=True)
class Cause:
    """Why a person started a promotion by hand, for its facts."""

    rollback: bool | None = None
    reason: str | None = None


BY_ITSELF = Cause()


@dataclass(frozen=True, kw_only=True)
class Released(Payload):
    kind = Kind.RELEASED
    pipeline: str
    content: Annotated[Document, "{images, source}"]
    tags: Annotated[Mapping[str, str] | None, "{service: tag}"] = None
    salt: Annotated[str | None, "hex, with the first release only"] = None


@dataclass(frozen=True, kw_only=True)
class Requested(Payload):
    kind = Kind.REQUESTED
    plan_digest: str
    plan: Annotated[Document, "the document"]
    from_release: Annotated[str | None, "release or null"] = field(metadata={"key": "from"})
    policy_digest: str
    requested_by: str
    reason_code: str
    reasons: Sequence[str]
    gates: Annotated[Sequence[Document], "the result of each gate"]
    supersedes: Annotated[Sequence[Document], "[{release, seq}]"]
    rollback: bool
    rules: Annotated[Document, "the document whose digest policy_digest is"]
    run: Annotated[str | None, "the page of the CI run that requested it"] = None
    policy: Annotated[Document | None, "{ref: or null, held_to: [{ref, commit}]}"] = None


@dataclass(frozen=True, kw_only=True)
class Started(Payload):
    kind = Kind.STARTED
    plan_digest: str
    promotion: str
    approvals: Annotated[Sequence[str], "[digest of the fact of each vote that it uses up]"]
    from_release: Annotated[str | None, "release or null"] = field(metadata={"key": "from"})
    mend: Annotated[bool, "true for a repair of what is recorded"]
    resumed: bool
    lease: Annotated[Document, "{owner, token, took_over}"]
    gates: Annotated[Sequence[Document], "the result of each gate"]
    policy: Annotated[Document | None, "as in requested"] = None
    rollback: Annotated[bool | None, "true for the rollback command"] = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepDone(Payload):
    kind = Kind.STEP_DONE
    promotion: str
    step: str
    detail: Document
    host: Annotated[str | None, "the host, in an environment with several"] = None


@dataclass(frozen=True, kw_only=True)
class Promoted(Payload):
    kind = Kind.PROMOTED
    plan_digest: str
    promotion: str
    services: Annotated[Document, "{name: {digest, containers: [id], started?: [time]}}; in a swarm the id of the service"]
    gap_ms: int | None
    duration_ms: int | None
    from_release: Annotated[str | None, "release or null"] = field(metadata={"key": "from"})
    mend: bool
    engine: Annotated[Document | None, "{fingerprint, name, version}; null in an environment with several hosts"]
    rollback: Annotated[bool | None, "true for the rollback command, which pins, with its reason"] = None
    reason: str | None = None
    irreversible: Annotated[Sequence[str] | None, IRREVERSIBLE] = None
    hosts: Annotated[Document | None, HOSTS] = None


@dataclass(frozen=True, kw_only=True)
class _Unsuccessful(Payload):
    plan_digest: str
    promotion: str
    reason_code: str
    reasons: Sequence[str]
    evidence: Sequence[Document]
    touched: Annotated[bool, "false if nothing was done in the environment; then unsigned votes count again"]
    irreversible: Annotated[Sequence[str] | None, IRREVERSIBLE] = None


@dataclass(frozen=True, kw_only=True)
class Failed(_Unsuccessful):
    kind = Kind.FAILED
    left: Annotated[bool, "true if the failed containers were left in place"]
    hosts: Annotated[Document | None, "{name: {behind}} with the reason, of the hosts that could not be restored"] = None


@dataclass(frozen=True, kw_only=True)
class RolledBack(_Unsuccessful):
    kind = Kind.ROLLED_BACK
    to: Annotated[str | None, "release or null"]
    services: Annotated[Document, "as in promoted, read back"]
    hosts: Annotated[Document | None, "{name: {services}}, read back, of the hosts that were restored"] = None


@dataclass(frozen=True, kw_only=True)
class _Voted(Payload):
    plan_digest: str
    from_release: Annotated[str | None, "release or null"] = field(metadata={"key": "from"})
    policy_digest: str
    principal: str
    role: str | None
    grade: str
    comment: str
    expires_at: Annotated[str | None, "time or null"]
    ledger_head: Annotated[str | None, "digest of the fact before it, as the signer saw it"] = None
    review: Annotated[
        Document | None, "{platform, run, user, environment, state, mark}, with the grade platform: what was imported"
    ] = None
    envelope: Annotated[Document | None, "{statement, signature} of a signed vote, byte for byte"] = None


@dataclass(frozen=True, kw_only=True)
class Approved(_Voted):
    kind = Kind.APPROVED


@dataclass(frozen=True, kw_only=True)
class Rejected(_Voted):
    kind = Kind.REJECTED


@dataclass(frozen=True, kw_only=True)
class Overridden(_Voted):
    """The comment is the reason. A `started` fact that names it used this override."""

    kind = Kind.OVERRIDDEN


@dataclass(frozen=True, kw_only=True)
class Attested(_Voted):
    kind = Kind.ATTESTED
    reviews: Annotated[str, "the digest of the overridden fact that is reviewed"]


@dataclass(frozen=True, kw_only=True)
class Vetoed(Payload):
    kind = Kind.VETOED
    reason: str
    digests: Annotated[Sequence[str], "[image digest], in addition to those of the release that the fact names"]


@dataclass(frozen=True, kw_only=True)
class _Reasoned(Payload):
    reason: str


@dataclass(frozen=True, kw_only=True)
class Pinned(_Reasoned):
    kind = Kind.PINNED


@dataclass(frozen=True, kw_only=True)
class Unpinned(_Reasoned):
    kind = Kind.UNPINNED


@dataclass(frozen=True, kw_only=True)
class Frozen(_Reasoned):
    """Without an environment it applies to all of them."""

    kind = Kind.FROZEN


@dataclass(frozen=True, kw_only=True)
class Unfrozen(_Reasoned):
    """Without an environment it applies to all of them."""

    kind = Kind.UNFROZEN


@dataclass(frozen=True, kw_only=True)
class Drifted(Payload):
    """Recorded once for each new set of findings. An empty list ends the drift that was recorded before."""

    kind = Kind.DRIFTED
    plan_digest: Annotated[str | None, "the plan with which the environment was compared"] = None
    findings: Annotated[Sequence[Document] | None, "[{service, container, kind, path, expected, found, host?}]"] = None


@dataclass(frozen=True, kw_only=True)
class Executed(Payload):
    """One fact before the command starts, and one with its result, which names the first as `intent`."""

    kind = Kind.EXECUTED
    service: str
    container: Annotated[str, "id"]
    replica: int
    command: Annotated[Sequence[str], "the command and its arguments, without secrets"]
    host: Annotated[str | None, "the host, in an environment with several"] = None
    intent: Annotated[str | None, "the digest of the fact before the start"] = None
    started: Annotated[str | None, "time"] = None
    duration_ms: int | None = None
    exit_code: Annotated[int | None, "missing if the end of the command was not seen"] = None
    reason: Annotated[str | None, "why the end of the command was not seen"] = None


KINDS: Mapping[Kind, type[Payload]] = {
    one.kind: one
    for one in (
        Released,
        Requested,
        Started,
        StepDone,
        Promoted,
        Failed,
        RolledBack,
        Approved,
        Rejected,
        Overridden,
        Attested,
        Vetoed,
        Pinned,
        Unpinned,
        Frozen,
        Unfrozen,
        Drifted,
        Executed,
    )
}


def _keys(cls: type[Payload]) -> tuple[tuple[str, str, bool], ...]:
    """Return each field as (name, key in the body, whether it is always written)."""
    return tuple((one.name, one.metadata.get("key", one.name), one.default is not None) for one in fields(cls))


_KEYS = {kind: _keys(one) for kind, one in KINDS.items()}
