"""`promoter history`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import say, say_json
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

Where = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="Show only this environment.", show_default=False),
]


@verb
def history(common: Common, environment: Where = None) -> None:
    """Show what happened, oldest first.

    \b
    Examples:
      promoter history
      promoter history prod
      promoter history --json | jq '.[] | select(.kind == "approved")'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        facts = promoter.history(environment)
    if common.json:
        say_json([fact.document() for fact in facts])
    else:
        from promoter.ui.reports.history import history as as_text

        say(as_text(facts))
