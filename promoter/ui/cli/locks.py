"""`promoter locks`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb


@verb
def locks(common: Common) -> None:
    """Show which run holds which environment.

    A run renews its lease every few seconds. A lease that was not renewed, or whose process on this machine ended,
    is shown as stale: the next run takes the environment over.

    \b
    Examples:
      promoter locks
      promoter locks --json | jq -r '.locks[] | "\\(.environment) \\(.owner)"'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        report = promoter.locks()
        now = promoter.ports.clock.now()
    if common.json:
        print_json(report.document())
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.locks import locks as as_text

        print_text(as_text(report, view_of(common, now)))
