"""`promoter locks`."""

from promoter.cli.common import Common, verb
from promoter.cli.output import say, say_json


@verb
def locks(common: Common) -> None:
    """Shows who holds which environment.

    A run that holds an environment says so anew every few seconds. One that stopped doing so, or that ended on this
    machine without letting go, is shown as stale: the next run takes the environment over.

    \b
    Examples:
      promoter locks
      promoter locks --json | jq -r '.locks[] | "\\(.environment) \\(.owner)"'
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        report = promoter.locks()
    if common.json:
        say_json(report.document())
    else:
        from promoter.reports.locks import locks as as_text

        say(as_text(report))
