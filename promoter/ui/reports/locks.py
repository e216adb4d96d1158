"""`promoter locks`: the leases, as plain text."""

from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.ui.reports.table import table
from promoter.usecases.status import LocksReport


def locks(report: LocksReport) -> str:
    """Format one line for each lease."""
    if not report.locks:
        return "no environment is locked"
    rows = [("ENVIRONMENT", "SINCE", "UNTIL", "TOKEN", "HELD BY")]
    rows += [
        (held.environment, when(held.since), when(held.expires) if alive else "stale", str(held.token), clean(held.owner))
        for held, alive in report.locks
    ]
    return table(rows)
