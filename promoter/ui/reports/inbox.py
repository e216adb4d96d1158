"""`promoter inbox`: what waits for one person, with the command below each item."""

from promoter.ui.reports.progress_lines import clean
from promoter.usecases.inbox import Inbox, InboxItem


def inbox(found: Inbox) -> str:
    """Format two lines for each item."""
    return "\n".join(_item(item) for item in found.items) or f"nothing waits for {clean(found.actor)} in {found.pipeline}"


def _item(item: InboxItem) -> str:
    release = f" release {item.release[:12]}:" if item.release else ""
    return f"{item.environment}:{release} {clean(item.reason)}\n  {item.command}"
