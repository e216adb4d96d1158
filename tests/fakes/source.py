"""A repository whose state a test sets."""

from collections.abc import Mapping
from pathlib import Path

from promoter.model.errors import CallerError
from promoter.model.release import Source
from promoter.pipeline.loader_port import Snapshot

COMMIT = Source(sha="c0ffee" * 6 + "c0ff", branch="main", version="v1.0.0", author="ana@example.com")


class FakeSource:
    def __init__(self, source: Source = COMMIT, history: Mapping[tuple[str, str], tuple[str, ...]] | None = None) -> None:
        self.answer = source
        self.history = dict(history or {})

    def source(self, directory: Path) -> Source:
        return self.answer

    def snapshot(self, directory: Path, ref: str) -> Snapshot:
        raise CallerError(f"no checkout has {ref}")

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        return () if old == new else self.history.get((old, new))
