"""A pipeline file as text, with what is the same for all environments; templates are not filled in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promoter.config.regular_file import read_regular
from promoter.config.templates.scope import Scope
from promoter.config.yaml.positions import Document
from promoter.gates.approval.ssh.trust import Trust
from promoter.model.release import Source
from promoter.model.secrets import SecretSource
from promoter.pipeline.extends import Stack
from promoter.pipeline.local_files import NO_CHECKOUT, Checkout
from promoter.pipeline.networks_volumes import Parts
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.service_layers import Layer
from promoter.pipeline.sources import Origin
from promoter.pipeline.spec import FileHead

NO_RELEASE = "`release` has no meaning here: this is read before there is a release"
NO_ENVIRONMENT = "`environment` has no meaning here: this is the same for all environments"


NamedFiles = Callable[[Path, Sequence[str]], Mapping[str, str]]


def no_files(_: Path, __: Sequence[str]) -> Mapping[str, str]:
    """Where nobody asks who may enter."""
    return {}


@dataclass
class EnvironmentText:
    """One environment, not filled in. `layers` are its overrides by service; `services` those that its profiles leave in."""

    name: str
    spot: Spot
    raw: Mapping[str, Any]
    needs: tuple[str, ...]
    layers: Mapping[str, Layer]
    services: tuple[str, ...] = ()


@dataclass
class FileText:
    """Everything of a file but what templates make of it in an environment."""

    path: Path
    document: Document
    environ: Mapping[str, str]
    source: Callable[[], Source]
    complaints: Complaints
    read: Callable[[Path], bytes] = read_regular
    """How the files beside it are read: as they are on the disk, or as a git ref has them."""
    files: NamedFiles = no_files
    """The files that words of a command name, with their digests, in the same way."""
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
        """What a template sees that stands outside the environments."""
        return Scope(
            self.source, self.environ, frozenset(self.secrets), why_undefined=why_undefined,
            absent={"release": NO_RELEASE, "environment": NO_ENVIRONMENT, **(absent or {})},
        )  # fmt: skip

    @property
    def used(self) -> tuple[str, ...]:
        """The services that run in any environment."""
        named = {name for environment in self.environments.values() for name in environment.services}
        return tuple(name for name in self.layers if name in named or not self.environments)

    @property
    def signers(self) -> tuple[str, ...] | None:
        """Who may sign; None when the file names no approvers."""
        return None if self.trust is None else self.trust.principals()

    @property
    def variables(self) -> dict[str, str]:
        """Every name under `vars` of any environment, with why it means nothing outside one."""
        names = {n for e in self.environments.values() if isinstance(v := e.raw.get("vars"), dict) for n in v}
        return {name: f"`{name}` is a variable of environments, and this is the same for all of them" for name in names}
