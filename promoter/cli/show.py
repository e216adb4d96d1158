"""`promoter show`."""

from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.completing import releases
from promoter.cli.output import say, say_json

Which = Annotated[
    str, typer.Argument(metavar="RELEASE", autocompletion=releases, help="A release's id or the start of it.", show_default=False)
]


@verb
def show(common: Common, release: Which) -> None:
    """Shows one release: what it is made of, where it is and was.

    \b
    Examples:
      promoter show 3f2a9c
      promoter show 3f2a9c --json | jq .release.images
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        document = promoter.show(release)
    if common.json:
        say_json(document)
    else:
        from promoter.reports.shown import release as as_text

        say(as_text(document))
