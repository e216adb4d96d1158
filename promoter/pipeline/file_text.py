"""A pipeline file before templates are filled in, with the parts that are the same for all environments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from promoter.config.regular_file import read_regular
from promoter.config.templates.scope import Scope
from promoter.config.yaml.positions import Document
from promoter.gates.approval.ssh.trust import Trust
from promoter.model.dataclass import dataclass
from promoter.model.release import Source
from promoter.model.secrets import SecretSource
from promoter.pipeline.extends import Stack
from promoter.pipeline.local_files import NO_CHECKOUT, Checkout
from promoter.pipeline.networks_volumes import Parts
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.service_layers import Layer
from promoter.pipeline.sources import Origin
from promoter.pipeline.spec import FileHead

NO_RELEASE = "`release` cannot be used here: this key is read before there is a release"
NO_ENVIRONMENT = "`environment` cannot be used here: this key is the same for all environments"


NamedFiles = Callable[[Path, Sequence[str]], Mapping[str, str]]


def no_files(_: Path, __: Sequence[str]) -> Mapping[str, str]:
    """Return no files, for callers that do not evaluate policies."""
    return {}


@dataclass
class EnvironmentText:
    """One environment before templates are filled in. `layers` are overrides by service; `services` are selected by profiles."""

    name: str
    spot: Spot
    raw: Mapping[str, Any]
    needs: tuple[str, ...]
    layers: Mapping[str, Layer]
    services: tuple[str, ...] = ()


@dataclass
class FileText:
    """A whole file before its templates are filled in for an environment."""

    path: Path
    document: Document
    environ: Mapping[str, str]
    source: Callable[[], Source]
    complaints: Complaints
    read: Callable[[Path], bytes] = read_regular
    """Reads the files beside it: from the disk, or from a git ref."""
    files: NamedFiles = no_files
    """Returns the files that a command names, with their digests, from the same place."""
    checkout: Checkout = NO_CHECKOUT
    head: FileHead = field(init=False)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: dict[str, SecretSource] = field(default_factory=dict)
    trust: Trust | None = None
    origin: Origin = field(init=False)
    layers: dict[str, Stack] = field(default_factory=dict)
    parts: Parts = field(init=False)
    environments: dict[str, EnvironmentText] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.path.parent

    def spot(self, *path: str | int) -> Spot:
        return Spot(self.document, path)

    def scope(self, *, absent: Mapping[str, str] | None = None, why_undefined: str) -> Scope:
        """Return the names for templates outside the environments."""
        return Scope(
            self.source,
            self.environ,
            frozenset(self.secrets),
            why_undefined=why_undefined,
            absent={"release": NO_RELEASE, "environment": NO_ENVIRONMENT, **(absent or {})},
        )

    @property
    def used(self) -> tuple[str, ...]:
        """Return the services that run in at least one environment."""
        named = {name for environment in self.environments.values() for name in environment.services}
        return tuple(name for name in self.layers if name in named or not self.environments)

    @property
    def signers(self) -> tuple[str, ...] | None:
        """Return who may sign; None if the file names no approvers."""
        return None if self.trust is None else self.trust.principals()

    @property
    def variables(self) -> dict[str, str]:
        """Return every name under `vars` of any environment, with the reason why it cannot be used outside one."""
        names = {n for e in self.environments.values() if isinstance(v := e.raw.get("vars"), dict) for n in v}
        return {
            name: f"`{name}` is a variable of an environment, but this key is the same for all environments" for name in names
        }
