"""`promoter diff`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

Left = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="One environment.", show_default=False)]
Right = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="The other one.", show_default=False)]


@verb
def diff(common: Common, left: Left, right: Right) -> None:
    """Compare what runs in two environments.

    \b
    Examples:
      promoter diff test prod
      promoter diff test prod --json | jq -r '.changes[].path'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        document = promoter.diff(left, right)
        now = promoter.ports.clock.now()
    if common.json:
        print_json(document)
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.release import difference

        print_text(difference(document, view_of(common, now)))
