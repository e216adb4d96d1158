"""`promoter diff`."""

from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.completing import environments
from promoter.cli.output import say, say_json

Left = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="One environment.", show_default=False)]
Right = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="The other one.", show_default=False)]


@verb
def diff(common: Common, left: Left, right: Right) -> None:
    """Compares what runs in two environments.

    \b
    Examples:
      promoter diff test prod
      promoter diff test prod --json | jq -r '.changes[].path'
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        document = promoter.diff(left, right)
    if common.json:
        say_json(document)
    else:
        from promoter.reports.shown import difference

        say(difference(document))
