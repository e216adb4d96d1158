"""`promoter locks`: who holds what, as plain text."""

from promoter.reports.matrix import when
from promoter.reports.sentences import clean
from promoter.reports.table import table
from promoter.statuses import LocksReport


def locks(report: LocksReport) -> str:
    """A line a lease."""
    if not report.locks:
        return "nobody holds any environment"
    rows = [("ENVIRONMENT", "SINCE", "UNTIL", "TOKEN", "HELD BY")]
    rows += [
        (held.environment, when(held.since), when(held.expires) if alive else "stale", str(held.token), clean(held.owner))
        for held, alive in report.locks
    ]
    return table(rows)
