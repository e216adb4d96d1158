"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from promoter.ui.cli.completion import environments, files, releases

Where = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="The environment.", show_default=False)]
Comment = Annotated[str | None, typer.Option("--comment", metavar="TEXT", help="The reason; recorded in the ledger.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="FILE", help="Sign with this SSH key, or the .pub of one in your agent (default: git's signing key)."
    ),
]
Dispatch = Annotated[
    bool | None,
    typer.Option(
        "--dispatch/--no-dispatch", help="Start the CI job that continues, once nothing is missing (default: the setting)."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        autocompletion=releases,
        help="Release id or a prefix of it (default: the newest).",
        show_default=False,
    ),
]
Reviews = Annotated[bool, typer.Option("--reviews", help="First import the reviews of this CI run; needs --to ENV.")]
File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", autocompletion=files, help="The pipeline file (pipeline.yaml).", show_default=False),
]
Wait = Annotated[str | None, typer.Option("--wait", metavar="DURATION", help="Wait up to this long for gates to open.")]
WaitLock = Annotated[
    str | None,
    typer.Option("--wait-lock", metavar="DURATION", help="Wait up to this long while another run holds the environment."),
]
To = Annotated[str | None, typer.Option("--to", metavar="ENV", autocompletion=environments, help="Stop after this environment.")]
