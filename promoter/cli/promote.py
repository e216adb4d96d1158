"""`promoter promote`."""

from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.ending import end
from promoter.cli.waiting import To, Wait, WaitLock, wait_lock_of, wait_of
from promoter.model.errors import CallerError

Which = Annotated[
    str | None, typer.Argument(metavar="[RELEASE]", help="A release's id or the start of it (the newest).", show_default=False)
]


Reviews = Annotated[bool, typer.Option("--reviews", help="First import the reviews of this CI run, with --to ENV.")]


@verb
def promote(
    common: Common, release: Which = None, to: To = None, wait: Wait = None, wait_lock: WaitLock = None, reviews: Reviews = False
) -> int:
    """Carries an existing release on, the newest by default.

    This is how a run that waited at a gate goes on, wherever the ledger can be reached.

    \b
    Examples:
      promoter promote
      promoter promote 3f2a9c --to test
      promoter promote --wait 2h
      promoter promote --to prod --reviews
    """
    from promoter.cli.door import opened

    span, lock = wait_of(common, wait), wait_lock_of(common, wait_lock)
    if reviews and to is None:
        raise CallerError("--reviews needs to know where they are about", hint="promoter promote --to ENV --reviews")
    with opened(common) as promoter:
        if reviews and to is not None:
            from promoter.cli.reviews import before_promoting

            before_promoting(promoter, release, to)
        result = promoter.promote(release, to, span, lock)
    return end(common, result, to)
