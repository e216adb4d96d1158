"""`promoter logs`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.show import Which


@verb
def logs(common: Common, release: Which) -> None:
    """Show the output of a release's containers and checks.

    \b
    Examples:
      promoter logs 3f2a9c
      promoter logs 3f2a9c --json | jq -r '.[].text'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        entries = promoter.logs(release)
    if common.json:
        print_json([entry.document() for entry in entries])
    else:
        from promoter.ui.reports.logs import logs as as_text

        print_text(as_text(entries))
