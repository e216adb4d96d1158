"""`promoter logs`: each text below a line that names its source."""

from collections.abc import Sequence

from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.usecases.logs import LogEntry


def logs(entries: Sequence[LogEntry]) -> str:
    """Format entries in the given order, with an empty line between them."""
    return "\n\n".join(_entry(entry) for entry in entries) or "nothing was written"


def _entry(entry: LogEntry) -> str:
    at = when(entry.at) if entry.at else "now"
    return "\n".join([f"== {entry.environment}: {entry.source}, {at}", *(clean(line) for line in entry.text.splitlines())])
