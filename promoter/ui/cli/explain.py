"""`promoter explain`."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from promoter.model.duration import parse_duration
from promoter.model.errors import CallerError
from promoter.ui.cli.completion import releases
from promoter.ui.cli.console import say, say_json
from promoter.ui.cli.finish import options
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where

HORIZON = timedelta(days=3660)
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="At another time: 2026-12-18T09:00Z, or +4h from now.", show_default=False),
]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        autocompletion=releases,
        help="A release's id or the start of it (what waits there, or the newest).",
        show_default=False,
    ),
]
Look = Annotated[bool, typer.Option("--look", help="Carry the checks out too, instead of saying that they are to be.")]


@verb
def explain(common: Common, environment: Where, release: Which = None, at: At = None, look: Look = False) -> None:
    """Explains each gate: its verdict, who can open it, when, and how.

    Changes nothing and needs no engine (--look does, where a check runs a container). Exit code 0, whatever it finds.

    \b
    Examples:
      promoter explain prod
      promoter explain prod --at 2026-12-18T09:00+02:00
      promoter explain prod 3f2a9c --at +4h --json | jq .opens_at
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        told = promoter.explain(environment, release, time_of(at, promoter.ports.clock.now()), run_checks=look)
    if common.json:
        say_json(told.document())
    else:
        from promoter.ui.reports.explain import explained

        say(explained(told, options(common)))


def time_of(said: str | None, now: datetime) -> datetime | None:
    """The instant that `--at` names. Raises CallerError for none, for one without a zone, and for one beyond ten years."""
    if said is None:
        return None
    try:
        at = now + parse_duration(said[1:]) if said.startswith("+") else datetime.fromisoformat(said)
    except (ValueError, OverflowError) as error:
        raise CallerError(
            f"--at: {said!r} is no time", hint="write for example 2026-12-18T09:00Z, 2026-12-18T09:00+02:00, or +4h from now"
        ) from error
    if at.tzinfo is None:
        raise CallerError(f"--at: {said!r} has no zone", hint=f"write {at:%Y-%m-%dT%H:%M}Z for UTC, or with an offset, as +02:00")
    if at - now > HORIZON:
        raise CallerError(f"--at: {said!r} is more than ten years ahead", hint="name a nearer time")
    return at
