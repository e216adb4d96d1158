"""`promoter status`."""

from promoter.cli.common import Common, verb
from promoter.cli.output import say, say_json


@verb
def status(common: Common) -> None:
    """Shows which release is where, how it is, and what waits.

    \b
    Examples:
      promoter status
      promoter status --json | jq -r '.environments[] | "\\(.name) \\(.health)"'
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        report = promoter.status()
    if common.json:
        say_json(report.document())
    else:
        from promoter.reports.matrix import matrix

        say(matrix(report))
