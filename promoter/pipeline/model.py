"""The pipeline as its file says it, after reading: typed, whole, without templates in the parts that are resolved.

`Pipeline` is what is common; `Environment` is one environment with its variables filled in. Reading text, positions
and complaints are `adapters/pipeline_file/`'s; what to do about it all is `plan.py`'s.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.checks import Check, HttpCheck
from promoter.gates.context import person
from promoter.gates.override import Override, Rollback
from promoter.gates.registry import Gate
from promoter.model.canonical_json import fingerprint, sha256_hex
from promoter.model.images import Reference, Repository
from promoter.model.secrets import OPENING, SecretSource, names_in
from promoter.pipeline.compose.service import Build, Service

NO_RELEASE = "0" * 64
"""Stands for the id of a release where none exists yet."""


class Strategy(StrEnum):
    RECREATE = "recreate"
    START_FIRST = "start-first"
    SWARM = "swarm"


class OnFailure(StrEnum):
    ROLLBACK = "rollback"
    STOP = "stop"


class BuilderChoice(StrEnum):
    AUTO = "auto"
    ENGINE = "engine"
    BUILDX = "buildx"


@dataclass(frozen=True)
class Network:
    """A network of the environment. `name` is the engine's; `external` ones are used and never made."""

    name: str
    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    ipam: Mapping[str, object] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Volume:
    """A named volume of the environment. `name` is the engine's; `external` ones are used and never made."""

    name: str
    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file or folder beside the pipeline file that a container mounts or a check runs.

    `path` is relative to the pipeline file, as plans show it; `source` is absolute. `digest` is None for a folder in
    which a container keeps data of its own.
    """

    path: str
    source: str
    digest: str | None


@dataclass(frozen=True)
class Environment:
    """One environment, resolved for one source and release.

    `services` hold no build-only entries' images: what image a service runs is the release's to say. In them,
    network keys and volume sources are already the engine's own names, and `files` are the contents of configs and
    secrets by service (secrets as handles).
    """

    name: str
    needs: tuple[str, ...]
    registry: str | None
    engines: tuple[str | None, ...]
    """Addresses; None is the local engine as the docker CLI would choose it."""
    services: Mapping[str, Service]
    contents: Mapping[str, str]
    """`config:NAME` and `secret:NAME` to the text that the file in a container holds."""
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    """Networks and volumes by the engine's own names, as `services` spell them."""
    before: tuple[Check, ...]
    verify: tuple[Check, ...]
    gates: tuple[Gate, ...]
    elsewhere: Mapping[str, Repository] = field(default_factory=dict)
    """Where the environment names a registry of its own: the repository there of each service that is built here."""
    strategy: Strategy = Strategy.RECREATE
    front: Mapping[str, object] | None = None
    on_failure: OnFailure = OnFailure.ROLLBACK
    rollback: Rollback = field(default_factory=Rollback)
    override: Override | None = None
    files: tuple[LocalFile, ...] = ()
    """Files beside the pipeline file that decide what runs: their content is part of the plan."""
    deciding: Mapping[str, str] = field(default_factory=dict)
    """As in `Rules`."""
    url: str | None = None
    """Where people look at it. It is only shown, so no plan and no vote depends on it."""

    @property
    def address(self) -> str | None:
        """Where it can be looked at: as said, else where the first http verification that names no secret looks."""
        looked_at = (check.url for check in self.verify if isinstance(check, HttpCheck))
        return self.url or next((url for url in looked_at if OPENING not in url and "@" not in url), None)


@dataclass(frozen=True)
class Rules:
    """What of an environment decides who may enter it."""

    name: str
    gates: tuple[Gate, ...]
    rollback: Rollback
    override: Override | None
    deciding: Mapping[str, str] = field(default_factory=dict)
    """Files that the commands of gates name, and those that give the secrets of gates, with their digests."""


@dataclass(frozen=True)
class ToBuild:
    """A service whose image is built here and pushed to `repository`."""

    build: Build
    repository: Repository
    platform: str | None = None


@dataclass(frozen=True)
class ToPin:
    """A service whose image exists: `reference` is pinned to the digest that it has in its registry."""

    reference: Reference
    platform: str | None = None


BuiltService = ToBuild | ToPin


@dataclass(frozen=True)
class Pipeline:
    """What stands in the file outside the environments, and the names and order of these."""

    name: str
    file: Path
    ledger: str | None
    approvers: Path | None
    roles: Mapping[str, tuple[str, ...]]
    secrets: Mapping[str, SecretSource]
    builder: BuilderChoice
    needs: Mapping[str, tuple[str, ...]]
    """Every environment, in the order of the file, with what it needs."""
    policy_ref: str | None = None
    """The protected git ref whose file must say the same of gates, roles and signers."""
    trust: Trust | None = None
    """Who may sign, with which keys; None when the pipeline names no approvers file."""
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Persons, to their logins on the platform and their other names."""

    @property
    def directory(self) -> Path:
        return self.file.parent

    @property
    def signers(self) -> tuple[str, ...] | None:
        """Principals of the approvers file, in its order; None when the pipeline names no such file."""
        return None if self.trust is None else self.trust.principals()

    @property
    def identities(self) -> Mapping[str, str]:
        """Every other name, in small letters, to the person whose it is."""
        return {name.casefold(): who for who, names in self.people.items() for name in names}

    def person(self, name: str) -> str:
        """Whose name it is."""
        return person(name, self.identities)


Policy = Mapping[str, object]
"""What decides who may enter an environment, as a document: votes are bound to it, and a protected ref holds it fast."""
LONG = 1000
"""Characters of a text in a policy that are kept as they are: of a longer one its digest, so that facts stay small."""


def policy_of(pipeline: Pipeline, rules: Rules | Environment) -> Policy:
    """The environment's gates with all that they go by, what passes them by, who may vote, and what comes before it."""
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


def held_policy(pipeline: Pipeline, rules: Rules | Environment) -> Policy:
    """What a protected ref holds: the order of all environments too."""
    return {**policy_of(pipeline, rules), "environments": list(pipeline.needs)}


def policy_digest(pipeline: Pipeline, environment: Environment) -> str:
    """Change who or what decides, and votes are stale."""
    return fingerprint(policy_of(pipeline, environment))


def _way_to(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    """The environment and all that a release passes before it, in the order of the file."""
    found, rest = {name}, [name]
    while rest:
        new = [need for need in pipeline.needs.get(rest.pop(), ()) if need not in found]
        found.update(new)
        rest += new
    return tuple(one for one in pipeline.needs if one in found)


def _source(source: SecretSource | None) -> dict[str, object] | None:
    return None if source is None else {type(source).__name__.removesuffix("Source").lower(): next(iter(asdict(source).values()))}


def _short(value: object) -> object:
    """A map in the place of a long text: no text can be taken for it."""
    if isinstance(value, str) and len(value) > LONG:
        return {"sha256": sha256_hex(value.encode("utf-8", "surrogatepass")), "characters": len(value)}
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, (list, tuple)) else value
