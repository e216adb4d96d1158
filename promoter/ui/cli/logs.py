"""`promoter logs`."""

from typing import Annotated

import typer

from promoter.model.errors import CallerError
from promoter.ui.cli.completion import environments_and_releases
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

What = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=environments_and_releases,
        help="An environment, or a release id or a prefix of it (default: the newest release).",
        show_default=False,
    ),
]
Service = Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only this service.", show_default=False)]
Lines = Annotated[int, typer.Option("-n", "--lines", min=1, metavar="N", help="Show the last N lines of each container.")]

Follow = Annotated[bool, typer.Option("-F", "--follow", help="Also show what is written from now on, until Ctrl-C.")]


@verb
def logs(common: Common, what: What = None, service: Service = None, lines: Lines = 100, follow: Follow = False) -> None:
    """Show the output of an environment, or of a release.

    An environment: what its containers wrote. A release: what its containers and checks wrote, in all environments.

    \b
    Examples:
      promoter logs prod
      promoter logs prod web -n 20
      promoter logs prod --follow
      promoter logs 3f2a9c --json | jq -r '.[].text'
    """
    from promoter.ui.cli.session import opened

    if follow and (common.json or what is None):
        raise CallerError("--follow shows an environment as text", hint="write for example: promoter logs prod --follow")
    from promoter.ui.reports.progress_lines import clean

    with opened(common) as promoter:
        if follow and what is not None:
            for entry in promoter.follow(what, service, lines):
                print_text("\n".join(f"{entry.source} | {clean(line)}" for line in entry.text.splitlines()))
        entries = promoter.logs(what, service, lines)
        now = promoter.ports.clock.now()
    if common.json:
        print_json([entry.document() for entry in entries])
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.logs import logs as as_text

        print_text(as_text(entries, view_of(common, now)))
