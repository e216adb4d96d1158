"""Port: the version control of the sources."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from promoter.model.release import Source
from promoter.pipeline.loader_port import Snapshot


class SourceControl(Protocol):
    """The repository that holds the pipeline file."""

    def source(self, directory: Path) -> Source:
        """Commit, branch, version and whether there are uncommitted changes (promoter's own files not counted)."""

    def snapshot(self, directory: Path, ref: str) -> "Snapshot":
        """The files as a ref has them. Raises CallerError, with what to fetch, when the ref is not here."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """The same as they are on the disk, of those that the repository tracks."""

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        """One line a commit after `old` up to `new`, newest first; None when the repository cannot tell."""
