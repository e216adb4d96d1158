"""`promoter drift`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from promoter.model.errors import CallerError
from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

if TYPE_CHECKING:
    from promoter.api import Promoter
    from promoter.usecases.drift import DriftReport

INTERVAL = 30.0
"""Seconds between two comparisons of --watch."""
Which = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="The environment (default: all).", show_default=False),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Compare again every 30 seconds, until Ctrl-C.")]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="PATH", help="Leave out findings with this path, or below it; may be repeated."),
]


@verb
def drift(common: Common, environment: Which = None, watch: Watch = False, ignore: Ignore = None) -> int:
    """Compare what runs with what was recorded; change nothing.

    It reads the ledger, the registry and the containers: images, settings, stopped, missing and extra containers, moved
    tags, changed secrets. The engine and the registry get GET requests only. A new set of findings is recorded in the
    ledger once. A release that waits is no drift.

    Exit code 7: drift. Exit code 1: no drift was found, but something could not be asked.

    \b
    Examples:
      promoter drift
      promoter drift prod --watch
      promoter drift --ignore services.web.environment.LEVEL --ignore tags
      promoter drift --json | jq -r '.environments[].findings[].path'
    """
    from promoter.ui.cli.session import opened

    if watch and common.json:
        raise CallerError("--watch cannot be used with --json", hint="run `promoter drift --json` again and again instead")
    with opened(common) as promoter:
        if watch:
            _watch(common, promoter, environment, tuple(ignore or ()))
        report = promoter.drift(environment, tuple(ignore or ()))
        if common.json:
            print_json(report.document())
        elif not (common.quiet and report.exit_code == 0):
            print_text(_text(common, promoter, report))
    return report.exit_code


def _watch(common: Common, promoter: "Promoter", environment: str | None, ignore: tuple[str, ...]) -> None:
    """Compare until the process is interrupted. On a terminal show each report, otherwise only one that is different."""
    before: object = None
    while True:
        report = promoter.drift(environment, ignore)
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        if sys.stdout.isatty() or report != before:
            print_text(_text(common, promoter, report))
            sys.stdout.flush()
        before = report
        promoter.ports.clock.sleep(INTERVAL)


def _text(common: Common, promoter: "Promoter", report: "DriftReport") -> str:
    from promoter.ui.cli.view import view_of
    from promoter.ui.reports.drift import drift as as_text

    return as_text(report, view_of(common, promoter.ports.clock.now()))
