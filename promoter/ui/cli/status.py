"""`promoter status`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb


@verb
def status(common: Common) -> None:
    """Show the release, health and waiting release of each environment.

    \b
    Examples:
      promoter status
      promoter status --json | jq -r '.environments[] | "\\(.name) \\(.health)"'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        report = promoter.status()
    if common.json:
        print_json(report.document())
    else:
        from promoter.ui.reports.status import matrix

        print_text(matrix(report))
