"""`promoter locks`: one line for each lease, the stale ones first."""

from collections.abc import Sequence

from promoter.ledger.store import LeaseInfo
from promoter.model.pattern import pattern
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import Cell, View, span
from promoter.usecases.status import LocksReport

_MARKS = pattern(r"( on \S+) \([0-9a-f]{8}\), process (\d+) begun at \d+")
"""What only a program needs to recognise a process."""


def locks(report: LocksReport, view: View) -> str:
    """Format one line for each lease. Details are the token of the lease and the complete text of its owner."""
    if not report.locks:
        return "no environment is locked"
    head = ("", "ENV", "SINCE", "EXPIRES", *(["TOKEN"] if view.verbose else []), "HELD BY")
    rows: list[Sequence[Cell | str]] = [head]
    rows += [_row(held, view, alive=alive) for held, alive in sorted(report.locks, key=lambda lock: lock[1])]
    return "\n".join(view.table(rows, ""))


def _row(held: LeaseInfo, view: View, *, alive: bool) -> Sequence[Cell | str]:
    left = view.moment(held.expires) if view.verbose else f"in {span(held.expires - view.now)}"
    owner = clean(held.owner)
    return (
        Cell("✓", "good") if alive else Cell("!", "wait"),
        held.environment,
        view.moment(held.since),
        left if alive else Cell("stale", "wait"),
        *([str(held.token)] if view.verbose else []),
        owner if view.verbose else _MARKS.sub(r"\1, process \2", owner),
    )
