"""Interface of a parsed pipeline file. `loader.py` implements it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from promoter.model.dataclass import dataclass
from promoter.model.errors import Diagnostic
from promoter.model.release import Release, Source
from promoter.pipeline.model import BuiltService, Environment, Pipeline
from promoter.pipeline.policy import Policy


@dataclass(frozen=True)
class PolicyAt:
    """The policy of the file at a commit."""

    commit: str
    policy: Policy


class Loaded(Protocol):
    """A parsed pipeline file."""

    @property
    def pipeline(self) -> Pipeline: ...

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """Return what was left out so far. It does not prevent a run."""

    @property
    def reads_variables(self) -> bool:
        """Return whether the file may read variables of the process, which differ from one machine to another."""

    def check(self) -> None:
        """Check the whole file. Raise InvalidFile with every error."""

    def resolve(self, environment: str, source: Source, release_id: str | None) -> Environment:
        """Resolve one environment for one source and release. Raise InvalidFile, or CallerError for an unknown name."""

    def file_digest(self, path: str, *, read_only: bool) -> str | None:
        """Return the digest of a file or folder beside the pipeline file, as plans record it; None if it cannot be read."""

    def builds(self, source: Source) -> Mapping[str, BuiltService]:
        """Return how the image of each service is made. Raise InvalidFile."""

    def complaint(self, environment: str, message: str, hint: str | None = None) -> Diagnostic:
        """Return a diagnostic about an environment, at its line in the file."""

    def url(self, environment: str, release: Release) -> str | None:
        """Return the address of a release in an environment. Raise as `resolve` does."""

    def policy_at(self, ref: str, environment: str, source: Source, release_id: str) -> PolicyAt:
        """Return the policy of the file at a git ref. Raise CallerError or InvalidFile if it cannot be read."""


class Snapshot(Protocol):
    """The files of a repository at one commit."""

    @property
    def commit(self) -> str: ...

    def read(self, path: Path) -> bytes:
        """Read a file by its absolute path in the checkout. Raise OSError, also for a path outside the repository."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """Return the files that a command names, relative to `directory`, with their digests."""
