"""`promoter exec`."""

from typing import Annotated

import typer

from promoter.ui.cli.confirm import can_ask, confirmed_by_name
from promoter.ui.cli.console import complain, print_json, print_text
from promoter.ui.cli.durations import timeout_of
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where, Yes

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="The service.", show_default=False)]
Words = Annotated[
    list[str], typer.Argument(metavar="COMMAND...", help="The command and its arguments, after `--`.", show_default=False)
]
Replica = Annotated[int, typer.Option("--replica", min=1, metavar="N", help="The replica of the service to use.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="DURATION", help="Wait up to this long for the end of the command.")]

HostName = Annotated[
    str | None,
    typer.Option("--host", metavar="NAME", help="The host to use, in an environment with several.", show_default=False),
]


@verb
def execute(
    common: Common,
    environment: Where,
    service: Service,
    command: Words,
    replica: Replica = 1,
    timeout: Timeout = "10m",
    host: HostName = None,
    yes: Yes = False,
) -> int:
    """Run a command in the container of a service, and record it.

    The ledger records who ran what, before the command starts and after it has ended. The output is shown while the
    command runs, without secrets. The exit code is 0 if the command ended with 0, else 1. The command gets no input.
    On a terminal it asks for the name of an environment that has gates, unless --yes is given.

    \b
    Examples:
      promoter exec dev web -- ls -l /data
      promoter exec prod db --timeout 1h -- pg_dump --schema-only shop
      promoter exec prod web --replica 2 -- cat /proc/meminfo
    """
    from promoter.ui.cli.session import opened
    from promoter.ui.reports.progress_lines import clean

    span = timeout_of(timeout)

    def show(stream: str, line: str) -> None:
        to_stderr = stream == "stderr" or common.json
        (complain if to_stderr else print_text)(clean(line))

    with opened(common) as promoter:
        question = f"run {command[0]} in {service}"
        if not yes and can_ask() and promoter.has_gates(environment) and not confirmed_by_name(environment, question):
            complain("promoter: nothing was run")
            return 1
        ended = promoter.execute(environment, service, command, show, replica=replica, timeout=span, host=host)
    if ended.exit_code != 0:
        complain(
            f"promoter: the command ended with exit code {ended.exit_code}" if ended.reason is None else _unseen(ended.reason)
        )
    if common.json:
        print_json(ended.document())
    return 0 if ended.exit_code == 0 else 1


def _unseen(reason: str) -> str:
    return f"promoter: the end of the command was not seen: {reason}"
