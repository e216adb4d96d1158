"""`--wait`: how long a run may hold on at a shut gate, from the flag or the settings."""

from datetime import timedelta
from typing import Annotated

import typer

from promoter.cli.common import Common
from promoter.model.duration import parse_duration
from promoter.model.errors import CallerError

Wait = Annotated[str | None, typer.Option("--wait", metavar="DURATION", help="Hold on at shut gates for up to this long.")]
To = Annotated[str | None, typer.Option("--to", metavar="ENV", help="Go no further than this environment.")]


def wait_of(common: Common, said: str | None) -> timedelta | None:
    """None: do not wait, a shut gate ends the run."""
    if said is not None:
        try:
            return parse_duration(said)
        except ValueError as error:
            raise CallerError(f"--wait: {error}") from error
    from promoter.settings import load_settings

    return load_settings(common.pipeline.parent).wait
