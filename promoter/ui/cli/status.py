"""`promoter status`."""

import sys
from typing import Annotated

import typer

from promoter.api import Promoter
from promoter.model.errors import CallerError
from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

INTERVAL = 2.0
"""Seconds between two looks of --watch."""
_CLEAR = "\x1b[H\x1b[2J"
Which = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="The environment (default: all).", show_default=False),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it again every 2 seconds, until Ctrl-C.")]


@verb
def status(common: Common, environment: Which = None, watch: Watch = False) -> None:
    """Show the release, health and waiting release of each environment.

    Below the table: what is wrong, what waits and why, and the command to type next. Everything is asked and evaluated
    now, for the person of --actor. With ENV, -v or --json also what its front does: requests and errors by container.

    \b
    Examples:
      promoter status
      promoter status prod --watch
      promoter status --json | jq -r '.environments[] | "\\(.name) \\(.health)"'
    """
    show_status(common, environment, watch=watch)


def show_status(common: Common, environment: str | None, *, watch: bool) -> None:
    """Show the status once, or again and again until the process is interrupted."""
    from promoter.ui.cli.session import opened

    if watch and common.json:
        raise CallerError("--watch cannot be used with --json", hint="run `promoter status --json` again and again instead")
    with opened(common) as promoter:
        if common.json:
            print_json(promoter.status(environment, fronts=True).document())
            return
        while True:
            text = _text(common, promoter, environment)
            if watch and sys.stdout.isatty():
                sys.stdout.write(_CLEAR)
            print_text(text)
            if not watch:
                return
            promoter.ports.clock.sleep(INTERVAL)


def _text(common: Common, promoter: Promoter, environment: str | None) -> str:
    from promoter.ui.cli.view import view_of
    from promoter.ui.reports.status import matrix

    fronts = common.verbose or environment is not None
    return matrix(promoter.status(environment, fronts=fronts), view_of(common, promoter.ports.clock.now()))
