"""What is asked of a pipeline file that was read. `adapters/pipeline_file/` answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from promoter.model.errors import Diagnostic
from promoter.model.release import Release, Source
from promoter.pipeline.model import BuiltService, Environment, Pipeline, Policy


@dataclass(frozen=True, slots=True)
class PolicyAt:
    """What decides who may enter, as the file at a commit says it."""

    commit: str
    policy: Policy


class Loaded(Protocol):
    """A pipeline file that was read."""

    @property
    def pipeline(self) -> Pipeline: ...

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """What was left out so far, and keeps nothing from running."""

    def check(self) -> None:
        """Raises InvalidFile with all that is wrong anywhere in the file."""

    def resolve(self, environment: str, source: Source, release_id: str | None) -> Environment:
        """One environment for one source and release. Raises InvalidFile, and CallerError for an unknown name."""

    def file_digest(self, path: str, *, read_only: bool) -> str | None:
        """The digest of a file or folder beside the pipeline file, as plans record it; None where it cannot be read."""

    def builds(self, source: Source) -> Mapping[str, BuiltService]:
        """How each service's image comes to be. Raises InvalidFile."""

    def complaint(self, environment: str, message: str, hint: str | None = None) -> Diagnostic:
        """Something said about an environment, on the line where it stands in the file."""

    def url(self, environment: str, release: Release) -> str | None:
        """Where a release can be looked at in an environment. Raises as `resolve` does."""

    def policy_at(self, ref: str, environment: str, source: Source, release_id: str) -> PolicyAt:
        """As the file at a git ref says it. Raises CallerError or InvalidFile when that cannot be known."""


class Snapshot(Protocol):
    """The files of a repository at one commit."""

    @property
    def commit(self) -> str: ...

    def read(self, path: Path) -> bytes:
        """A file by its absolute path in the checkout. Raises OSError, also for what is outside of the repository."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """The files that words of a command name, relative to `directory`, with their digests."""
