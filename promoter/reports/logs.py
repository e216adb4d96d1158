"""`promoter logs`: each piece under a line that says where it is from."""

from collections.abc import Sequence

from promoter.queries import LogEntry
from promoter.reports.matrix import when
from promoter.reports.sentences import clean


def logs(entries: Sequence[LogEntry]) -> str:
    """In the order given; an empty line between two."""
    return "\n\n".join(_entry(entry) for entry in entries) or "nothing was written"


def _entry(entry: LogEntry) -> str:
    at = when(entry.at) if entry.at else "now"
    return "\n".join([f"== {entry.environment}: {entry.source}, {at}", *(clean(line) for line in entry.text.splitlines())])
