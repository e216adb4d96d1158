"""`promoter logs`: each text below a line that names its source."""

from collections.abc import Sequence

from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import View
from promoter.usecases.logs import LogEntry


def logs(entries: Sequence[LogEntry], view: View) -> str:
    """Format entries in the given order, with an empty line between them. Log lines stay as they are, also if they are wide."""
    return "\n\n".join(_entry(entry, view) for entry in entries) or "nothing was written"


def _entry(entry: LogEntry, view: View) -> str:
    at = view.moment(entry.at) if entry.at else "now"
    head = view.wrap(f"== {entry.environment}: {clean(entry.source)}, {at}", "   ", "")
    return "\n".join([*(view.paint(line, "bold") for line in head), *(clean(line) for line in entry.text.splitlines())])
