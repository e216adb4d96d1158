"""`promoter promote`."""

from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.ending import end
from promoter.cli.waiting import To, Wait, WaitLock, wait_lock_of, wait_of

Which = Annotated[
    str | None, typer.Argument(metavar="[RELEASE]", help="A release's id or the start of it (the newest).", show_default=False)
]


@verb
def promote(common: Common, release: Which = None, to: To = None, wait: Wait = None, wait_lock: WaitLock = None) -> int:
    """Carries an existing release on, the newest by default.

    This is how a run that waited at a gate goes on, wherever the ledger can be reached.

    \b
    Examples:
      promoter promote
      promoter promote 3f2a9c --to test
      promoter promote --wait 2h
    """
    from promoter.cli.door import opened

    span, lock = wait_of(common, wait), wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        result = promoter.promote(release, to, span, lock)
    return end(common, result, to)
