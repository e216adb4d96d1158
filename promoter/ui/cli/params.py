"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from promoter.ui.cli.completion import environments, files, releases

Where = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="The environment.", show_default=False)]
Comment = Annotated[str | None, typer.Option("--comment", metavar="TEXT", help="Why; it stands in the ledger.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="FILE", help="Sign with this SSH key (or the .pub of one in your agent); else git's, if it has one."
    ),
]
Dispatch = Annotated[
    bool | None,
    typer.Option(
        "--dispatch/--no-dispatch", help="Start the CI job that carries on, once nothing is missing (as the setting says)."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]", autocompletion=releases, help="A release's id or the start of it (the newest).", show_default=False
    ),
]
Reviews = Annotated[bool, typer.Option("--reviews", help="First import the reviews of this CI run, with --to ENV.")]
File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", autocompletion=files, help="The pipeline file (pipeline.yaml).", show_default=False),
]
Wait = Annotated[str | None, typer.Option("--wait", metavar="DURATION", help="Hold on at shut gates for up to this long.")]
WaitLock = Annotated[
    str | None, typer.Option("--wait-lock", metavar="DURATION", help="Hold on while another run holds the environment.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="ENV", autocompletion=environments, help="Go no further than this environment.")
]
