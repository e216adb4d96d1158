"""`promoter inbox`: one line for each thing that waits for one person, what is wrong first, with the command for it."""

from collections.abc import Sequence

from promoter.model.verdict import ReasonCode
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import Cell, Style, View
from promoter.usecases.inbox import Inbox, InboxItem

_SIGNS: dict[str, tuple[str, Style]] = {
    ReasonCode.UNHEALTHY: ("✗", "bad"),
    ReasonCode.REVIEW_OVERDUE: ("!", "wait"),
    ReasonCode.OK: ("✓", "good"),
}
_WAITS: tuple[str, Style] = ("⏸", "wait")
_ORDER = "✗!⏸✓"


def inbox(found: Inbox, view: View) -> str:
    """Format one line for each item. The command stays in one piece, and the reason is wrapped."""
    if not found.items:
        return f"nothing waits for {clean(found.actor)} in {found.pipeline}"
    items = sorted(found.items, key=lambda item: _ORDER.index(_sign(item)[0]))
    rows: list[Sequence[Cell | str]] = [("", "ENV", "COMMAND", "WHY")]
    rows += [(Cell(*_sign(item)), item.environment, view.command(item.command), _why(item, view)) for item in items]
    return "\n".join(view.table(rows, ""))


def _sign(item: InboxItem) -> tuple[str, Style]:
    return _SIGNS.get(item.reason_code, _WAITS)


def _why(item: InboxItem, view: View) -> str:
    """Return the reason and since when it waits. The release is named if the command does not name it."""
    since = f" (since {view.moment(item.since)})" if item.since else ""
    short = view.id(item.release) if item.release else ""
    named = f"{short}: " if short and short not in item.command else ""
    return f"{named}{clean(item.reason)}{since}"
