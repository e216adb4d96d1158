"""Read bodies of facts into values. Raise TypeError or KeyError for an incomplete body."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoter.ledger.chain import Fact
from promoter.ledger.state import ActivePromotion, Deployment, Drift, Failure, Hold, PromotionRequest, Running
from promoter.model.canonical_json import fingerprint
from promoter.model.findings import affects_service
from promoter.model.statement import Envelope
from promoter.model.timestamps import read_stamp
from promoter.model.vote import REVIEW, Vote


def read_request(fact: Fact) -> PromotionRequest:
    body = fact.body
    return PromotionRequest(
        text(fact.environment),
        text(fact.release),
        text(body["plan_digest"]),
        optional(body["from"]),
        text(body["policy_digest"]),
        text(body["requested_by"]),
        fact.at,
        fact.seq,
        mapping(body["plan"]),
        text(body["reason_code"]),
        texts(body["reasons"]),
        bool(body.get("rollback")),
        optional(body.get("run")),
        None if body.get("rules") is None else mapping(body["rules"]),
    )


def read_start(fact: Fact) -> ActivePromotion:
    body = fact.body
    return ActivePromotion(
        text(fact.environment),
        text(fact.release),
        text(body["plan_digest"]),
        text(body["promotion"]),
        texts(body["approvals"]),
        fact.at,
        fact.seq,
        bool(body["mend"]),
    )


def read_drift(fact: Fact) -> Drift | None:
    """Return the drift; None if nothing was found any more. A fact without findings is of an earlier version."""
    findings = fact.body.get("findings")
    if findings is None:
        return Drift("", fact.at, fact.seq, affects_service=True)
    found = [mapping(one) for one in sequence(findings)]
    if not found:
        return None
    kinds = [text(one["kind"]) for one in found]
    return Drift(fingerprint(found), fact.at, fact.seq, affects_service(kinds))


def read_deployment(fact: Fact) -> Deployment:
    body, engine = fact.body, fact.body.get("engine")
    return Deployment(
        text(fact.environment),
        text(fact.release),
        text(body["plan_digest"]),
        text(body["promotion"]),
        fact.at,
        fact.seq,
        read_services(body["services"]),
        bool(body["mend"]),
        bool(body.get("rollback")),
        text(mapping(engine)["fingerprint"]) if engine else None,
    )


def read_vote(fact: Fact, decision: str) -> Vote:
    body, expires = fact.body, optional(fact.body.get("expires_at"))
    return Vote(
        decision=decision,
        principal=text(body["principal"]),
        role=optional(body.get("role")),
        grade=text(body["grade"]),
        environment=text(fact.environment),
        release=text(fact.release),
        plan_digest=text(body["plan_digest"]),
        from_release=optional(body["from"]),
        policy_digest=text(body["policy_digest"]),
        at=fact.at,
        expires_at=read_stamp(expires) if expires else None,
        comment=optional(body.get("comment")) or "",
        seq=fact.seq,
        digest=fact.digest,
        prev=fact.prev,
        envelope=read_envelope(body.get("envelope")),
        reviews=optional(body.get("reviews")),
        imported=read_review(body.get("review")),
    )


def read_envelope(value: object) -> Envelope | None:
    return None if value is None else Envelope(text(mapping(value)["statement"]), text(mapping(value)["signature"]))


def read_review(value: object) -> str | None:
    """Return the identity of an imported review: the same text for the same review."""
    return None if value is None else " ".join(text(mapping(value)[key]) for key in REVIEW)


def read_failure(fact: Fact) -> Failure:
    body = fact.body
    return Failure(
        fact.kind,
        text(fact.release),
        text(body["plan_digest"]),
        fact.at,
        fact.seq,
        text(body["reason_code"]),
        texts(body["reasons"]),
    )


def read_mark(fact: Fact) -> Hold:
    return Hold(text(fact.body["reason"]), fact.actor, fact.at, fact.seq)


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {value!r}")
    return value


def optional(value: object) -> str | None:
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"expected a list, got {value!r}")
    return tuple(text(one) for one in value)


def mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, got {value!r}")
    return value


def sequence(value: object) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, got {value!r}")
    return value


def read_services(value: object) -> dict[str, Running]:
    return {
        name: Running(optional(one["digest"]), texts(one["containers"]), texts(one.get("started") or ()))
        for name, one in ((name, mapping(one)) for name, one in mapping(value).items())
    }
