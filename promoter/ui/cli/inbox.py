"""`promoter inbox`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb


@verb
def inbox(common: Common) -> None:
    """Show what waits for you, and the command for each.

    That is what `--actor` can do now: votes, reviews of overrides, repairs, and releases whose gates are open.

    \b
    Examples:
      promoter inbox
      promoter inbox --json | jq -r '.items[].command'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        found = promoter.inbox()
        now = promoter.ports.clock.now()
    if common.json:
        print_json(found.document())
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.inbox import inbox as as_text

        print_text(as_text(found, view_of(common, now)))
