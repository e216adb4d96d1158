"""`promoter history`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

Where = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="Show only this environment.", show_default=False),
]


@verb
def history(common: Common, environment: Where = None) -> None:
    """Show what happened: one line for each promotion and decision.

    The newest first. With -v each fact, oldest first, as in --json.

    \b
    Examples:
      promoter history
      promoter history prod
      promoter history --json | jq '.[] | select(.kind == "approved")'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        facts = promoter.history(environment)
        now = promoter.ports.clock.now()
    if common.json:
        print_json([fact.document() for fact in facts])
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.history import history as as_text

        print_text(as_text(facts, view_of(common, now)))
