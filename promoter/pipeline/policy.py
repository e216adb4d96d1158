"""The policy of an environment: everything that decides who may enter it, as one document. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from promoter.model.canonical_json import fingerprint, sha256_hex
from promoter.model.secrets import SecretSource, names_in
from promoter.pipeline.model import Environment, Pipeline, Rules

Policy = Mapping[str, object]
"""The policy of an environment as a document. Votes are bound to it, and a protected ref can fix it."""
LONG = 1000
"""Maximum characters of a text in a policy. A longer one is replaced by its digest, so that facts stay small."""


def policy_of(pipeline: Pipeline, rules: Rules | Environment) -> Policy:
    """Return the policy: gates with what they depend on, rollback and override rules, voters, and upstream environments."""
    gates = [{gate.kind: gate.model_dump(mode="json", by_alias=True)} for gate in rules.gates]
    document = {
        "name": pipeline.name,
        "ledger": pipeline.ledger,
        "ref": pipeline.policy_ref,
        "needs": {name: list(pipeline.needs.get(name, ())) for name in _way_to(pipeline, rules.name)},
        "gates": gates,
        "files": dict(rules.deciding),
        "secrets": {name: _source(pipeline.secrets.get(name)) for name in names_in(json.dumps(gates))},
        "rollback": rules.rollback.document(),
        "override": rules.override.model_dump(mode="json", by_alias=True) if rules.override else None,
        "roles": {role: list(people) for role, people in pipeline.roles.items()},
        "identities": {who: sorted(names, key=str.casefold) for who, names in pipeline.people.items()},
        "signers": pipeline.trust.document() if pipeline.trust else None,
        "revoked_keys": pipeline.trust.revoked.document() if pipeline.trust else [],
    }
    return {key: _short(value) for key, value in document.items()}


def protected_policy(pipeline: Pipeline, rules: Rules | Environment) -> Policy:
    """Return the policy that a protected ref fixes, including the order of all environments."""
    return {**policy_of(pipeline, rules), "environments": list(pipeline.needs)}


def policy_digest(pipeline: Pipeline, rules: Rules | Environment) -> str:
    """Return the digest of the policy. A changed policy makes votes stale."""
    return fingerprint(policy_of(pipeline, rules))


def _way_to(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    """Return the environment and all that a release passes before it, in the order of the file."""
    found, rest = {name}, [name]
    while rest:
        new = [need for need in pipeline.needs.get(rest.pop(), ()) if need not in found]
        found.update(new)
        rest += new
    return tuple(one for one in pipeline.needs if one in found)


def _source(source: SecretSource | None) -> dict[str, object] | None:
    return None if source is None else {type(source).__name__.removesuffix("Source").lower(): next(iter(asdict(source).values()))}


def _short(value: object) -> object:
    """Replace a long text by a mapping, which cannot be confused with a text."""
    if isinstance(value, str) and len(value) > LONG:
        return {"sha256": sha256_hex(value.encode("utf-8", "surrogatepass")), "characters": len(value)}
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, (list, tuple)) else value
