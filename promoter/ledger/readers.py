"""Read bodies of facts into values. Raise TypeError or KeyError for an incomplete body."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promoter.ledger.attempts import ActivePromotion, Failure, PromotionRequest
from promoter.ledger.chain import Fact
from promoter.ledger.deployment import Deployment, HostDeployment, Running
from promoter.ledger.state import Drift, Hold
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


def read_deployment(fact: Fact, before: Deployment | None) -> Deployment:
    """Read a promoted fact. A host that is behind keeps what it had `before`."""
    body, engine = fact.body, fact.body.get("engine")
    hosts = {name: _read_host(fact, name, mapping(one), before) for name, one in mapping(body.get("hosts") or {}).items()}
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
        hosts,
    )


def _read_host(fact: Fact, name: str, value: Mapping[str, Any], before: Deployment | None) -> HostDeployment:
    if value.get("behind") is not None:
        known = before.hosts.get(name) if before is not None else None
        return replace(known or HostDeployment(), behind=text(value["behind"]))
    return HostDeployment(
        text(mapping(value["engine"])["fingerprint"]),
        read_services(value["services"]),
        text(fact.release),
        text(fact.body["plan_digest"]),
        text(fact.body["promotion"]),
    )


def not_restored(deployment: Deployment, body: Mapping[str, Any]) -> Deployment:
    """Return the deployment with the hosts on which it could not be restored."""
    found = {name: mapping(value) for name, value in mapping(body.get("hosts") or {}).items()}
    hosts = {
        name: replace(deployment.hosts.get(name, HostDeployment()), behind=text(one["behind"])) for name, one in found.items()
    }
    return replace(deployment, hosts={**deployment.hosts, **hosts}) if hosts else deployment


def read_back(deployment: Deployment, body: Mapping[str, Any]) -> Deployment:
    """Return the deployment with the containers that were read back after it was restored."""
    services, hosts = body.get("services"), dict(deployment.hosts)
    for name, value in mapping(body.get("hosts") or {}).items():
        if name in hosts:
            hosts[name] = replace(hosts[name], services={**hosts[name].services, **read_services(mapping(value)["services"])})
    return replace(deployment, services={**deployment.services, **read_services(services or {})}, hosts=hosts)


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
