"""Port: the version control of the sources."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from promoter.model.release import Source
from promoter.pipeline.loader_port import Snapshot


class SourceControl(Protocol):
    """The repository that holds the pipeline file."""

    def source(self, directory: Path) -> Source:
        """Return commit, branch, version and whether there are uncommitted changes (except in promoter's own files)."""

    def snapshot(self, directory: Path, ref: str) -> "Snapshot":
        """Return the files at a ref. Raise CallerError, with what to fetch, when the ref is not here."""

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        """Return the digests of these files on the disk, if the repository tracks them."""

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        """Return one line for each commit after `old` up to `new`, newest first; None if unknown."""
