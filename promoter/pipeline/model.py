"""The pipeline after reading its file: typed and complete, without templates in the resolved parts.

`Pipeline` holds what is common; `Environment` is one environment with its variables filled in. `loader.py` and
its neighbours read the text; `plan.py` decides what to do.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from pathlib import Path

from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.checks import Check, HttpCheck
from promoter.gates.context import person
from promoter.gates.override import Override, Rollback
from promoter.gates.registry import Gate
from promoter.model.dataclass import dataclass
from promoter.model.images import Reference, Repository
from promoter.model.secrets import OPENING, SecretSource
from promoter.pipeline.compose.build import Build
from promoter.pipeline.compose.service import Service
from promoter.pipeline.front_spec import Front
from promoter.pipeline.hosts import Host, Rollout
from promoter.pipeline.placement import allows
from promoter.pipeline.swarm_spec import SwarmForm

NO_RELEASE = "0" * 64
"""A placeholder for the id of a release that does not exist yet."""


class Strategy(StrEnum):
    RECREATE = "recreate"
    START_FIRST = "start-first"
    HOLD = "hold"
    SWARM = "swarm"


SUPPORTED = frozenset({Strategy.RECREATE, Strategy.START_FIRST, Strategy.HOLD, Strategy.SWARM})
"""The strategies that this version carries out. A test compares them with the registry of the promotion."""


class OnFailure(StrEnum):
    ROLLBACK = "rollback"
    STOP = "stop"


class BuilderChoice(StrEnum):
    AUTO = "auto"
    ENGINE = "engine"
    BUILDX = "buildx"


@dataclass(frozen=True)
class Network:
    """A network of the environment. `name` is the engine's; `external` ones are used but never created."""

    name: str
    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    ipam: Mapping[str, object] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    enable_ipv4: bool | None = None


@dataclass(frozen=True)
class Volume:
    """A named volume of the environment. `name` is the engine's; `external` ones are used but never created."""

    name: str
    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    exclusive: bool = False
    """Whether only one container at a time may use it."""


@dataclass(frozen=True)
class LocalFile:
    """A file or folder beside the pipeline file that a container mounts or a check runs.

    `path` is relative to the pipeline file, as plans show it; `source` is absolute. `digest` is None for a folder where
    a container keeps data.
    """

    path: str
    source: str
    digest: str | None


@dataclass(frozen=True)
class Environment:
    """One environment, resolved for one source and release.

    `services` hold no images: the release defines the image of each service. In them,
    network keys and volume sources are already the engine's names, and `files` are the contents of configs and
    secrets by service (secrets as handles).
    """

    name: str
    needs: tuple[str, ...]
    registry: str | None
    hosts: tuple[Host, ...]
    """Where it runs. Several hosts all have names. A swarm is one host without a name."""
    services: Mapping[str, Service]
    contents: Mapping[str, str]
    """Maps `config:NAME` and `secret:NAME` to the text of the file in a container."""
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    """Networks and volumes by the engine's names, as in `services`."""
    before: tuple[Check, ...]
    verify: tuple[Check, ...]
    gates: tuple[Gate, ...]
    target_repositories: Mapping[str, Repository] = field(default_factory=dict)
    """The repository of each built service, if the environment has its own registry."""
    strategy: Strategy = Strategy.RECREATE
    front: Front | None = None
    """The front and the options of its strategy; None for a strategy without one."""
    swarm: SwarmForm | None = None
    """The options of the strategy `swarm`; None for another strategy."""
    on_failure: OnFailure = OnFailure.ROLLBACK
    rollout: Rollout | None = None
    """How a release is rolled out over the hosts; None if they have no names."""
    rollback: Rollback = field(default_factory=Rollback)
    override: Override | None = None
    files: tuple[LocalFile, ...] = ()
    """Local files that affect what runs. Their content is part of the plan."""
    deciding: Mapping[str, str] = field(default_factory=dict)
    """See `Rules`."""
    prefetch: bool = False
    """Whether images are pulled while a release waits. It changes nothing that runs, so no plan and no vote depends on it."""
    url: str | None = None
    """The address for people. It is only shown, so no plan and no vote depends on it."""

    @property
    def engines(self) -> tuple[str | None, ...]:
        """Return the addresses of the hosts' engines; for a swarm, of all its managers."""
        return tuple(engine for host in self.hosts for engine in host.engines)

    def on(self, host: Host) -> "Environment":
        """Return the part of this environment that is on one host: the services whose placement allows it."""
        services = {name: one for name, one in self.services.items() if allows(one.deploy.placement.constraints, host)}
        return replace(self, hosts=(host,), services=services)

    @property
    def address(self) -> str | None:
        """Return the address: `url`, or else the URL of the first http verification without a secret."""
        urls = (check.url for check in self.verify if isinstance(check, HttpCheck))
        return self.url or next((url for url in urls if OPENING not in url and "@" not in url), None)


@dataclass(frozen=True)
class Rules:
    """The parts of an environment that decide who may enter it."""

    name: str
    gates: tuple[Gate, ...]
    rollback: Rollback
    override: Override | None
    deciding: Mapping[str, str] = field(default_factory=dict)
    """Files that the commands and the secrets of gates use, with their digests."""


@dataclass(frozen=True)
class ToBuild:
    """A service whose image is built here and pushed to `repository`."""

    build: Build
    repository: Repository
    platform: str | None = None


@dataclass(frozen=True)
class ToPin:
    """A service whose image exists. `reference` is pinned to its digest in the registry."""

    reference: Reference
    platform: str | None = None


BuiltService = ToBuild | ToPin


@dataclass(frozen=True)
class Pipeline:
    """The file outside the environments, with their names and order."""

    name: str
    file: Path
    ledger: str | None
    approvers: Path | None
    roles: Mapping[str, tuple[str, ...]]
    secrets: Mapping[str, SecretSource]
    builder: BuilderChoice
    needs: Mapping[str, tuple[str, ...]]
    """Every environment, in the order of the file, with the environments that it needs."""
    policy_ref: str | None = None
    """The protected git ref whose file must have the same gates, roles and signers."""
    trust: Trust | None = None
    """Who may sign, with which keys; None if the pipeline names no approvers file."""
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Maps each person to their logins on the platform and their other names."""
    drift_ignore: tuple[str, ...] = ()
    """Paths that `drift` leaves out. They decide nothing, so no plan and no vote depends on them."""

    @property
    def directory(self) -> Path:
        return self.file.parent

    @property
    def signers(self) -> tuple[str, ...] | None:
        """Return the principals of the approvers file, in its order; None if the pipeline names no such file."""
        return None if self.trust is None else self.trust.principals()

    @property
    def identities(self) -> Mapping[str, str]:
        """Return every other name, in lower case, with the person it belongs to."""
        return {name.casefold(): who for who, names in self.people.items() for name in names}

    def person(self, name: str) -> str:
        """Return the person with this name."""
        return person(name, self.identities)
