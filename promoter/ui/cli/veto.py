"""`promoter veto`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import releases
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.pin import Why

Release = Annotated[
    str,
    typer.Argument(metavar="RELEASE", autocompletion=releases, help="Release id or a prefix of it.", show_default=False),
]
Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service", metavar="NAME", help="Ban the image of this service; repeatable (default: all images that are built here)."
    ),
]


@verb
def veto(common: Common, release: Release, reason: Why, service: Services = None) -> None:
    """Ban a release, and every other with its images.

    It can never be promoted or rolled back to again. Running containers are not stopped.

    \b
    Examples:
      promoter veto 3f2a9c --reason "leaks memory"
      promoter veto 3f2a9c --service web --reason "CVE in its base image"
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        vetoed = promoter.veto(release, reason, service or ())
    if common.json:
        print_json(vetoed.fact.document())
    elif not common.quiet:
        print_text(f"release {vetoed.release.short_id} vetoed: {reason}")
        for name in vetoed.runs_in:
            print_text(f"  it runs in {name}: promoter rollback {name}")
