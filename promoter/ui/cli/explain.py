"""`promoter explain`."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from promoter.model.duration import parse_duration
from promoter.model.errors import CallerError
from promoter.ui.cli.completion import releases
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where

HORIZON = timedelta(days=3660)
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="Evaluate at another time: 2026-12-18T09:00Z, or +4h from now.", show_default=False
    ),
]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        autocompletion=releases,
        help="Release id or a prefix of it (default: what waits there, else the newest).",
        show_default=False,
    ),
]
RunChecks = Annotated[bool, typer.Option("--look", help="Also run the checks.")]


@verb
def explain(common: Common, environment: Where, release: Which = None, at: At = None, run_checks: RunChecks = False) -> None:
    """Explain each gate: its verdict, who can open it, when, and how.

    Changes nothing. Needs no engine, except with --look where a check runs a container. The exit code is 0 for every verdict.

    \b
    Examples:
      promoter explain prod
      promoter explain prod --at 2026-12-18T09:00+02:00
      promoter explain prod 3f2a9c --at +4h --json | jq .opens_at
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        now = promoter.ports.clock.now()
        explanation = promoter.explain(environment, release, time_of(at, now), run_checks=run_checks)
    if common.json:
        print_json(explanation.document())
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.explain import explained

        print_text(explained(explanation, view_of(common, now)))


def time_of(text: str | None, now: datetime) -> datetime | None:
    """Return the time that `--at` names. Raise CallerError if it is none, has no zone or is beyond ten years."""
    if text is None:
        return None
    try:
        at = now + parse_duration(text[1:]) if text.startswith("+") else datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise CallerError(
            f"--at: {text!r} is not a time", hint="write for example 2026-12-18T09:00Z, 2026-12-18T09:00+02:00, or +4h from now"
        ) from error
    if at.tzinfo is None:
        raise CallerError(
            f"--at: {text!r} has no zone", hint=f"write {at:%Y-%m-%dT%H:%M}Z for UTC, or with an offset such as +02:00"
        )
    if at - now > HORIZON:
        raise CallerError(f"--at: {text!r} is more than ten years ahead", hint="use an earlier time")
    return at
