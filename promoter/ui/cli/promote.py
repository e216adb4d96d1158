"""`promoter promote`."""

from promoter.model.errors import CallerError
from promoter.ui.cli.durations import wait_lock_of, wait_of
from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Reviews, To, Wait, WaitLock, Which


@verb
def promote(
    common: Common, release: Which = None, to: To = None, wait: Wait = None, wait_lock: WaitLock = None, reviews: Reviews = False
) -> int:
    """Continue promoting a release, the newest by default.

    This resumes a run that waits at a gate, on any machine that can reach the ledger.

    \b
    Examples:
      promoter promote
      promoter promote 3f2a9c --to test
      promoter promote --wait 2h
      promoter promote --to prod --reviews
    """
    return promote_release(common, release, to, wait, wait_lock, reviews=reviews)


def promote_release(
    common: Common, release: str | None, to: str | None, wait: str | None, wait_lock: str | None, *, reviews: bool = False
) -> int:
    """Promote, print the result and return the exit code."""
    from promoter.ui.cli.session import opened

    span, lock = wait_of(common, wait), wait_lock_of(common, wait_lock)
    if reviews and to is None:
        raise CallerError("--reviews needs an environment", hint="promoter promote --to ENV --reviews")
    with opened(common) as promoter:
        if reviews and to is not None:
            from promoter.ui.cli.reviews import before_promoting

            before_promoting(promoter, release, to)
        result = promoter.promote(release, to, span, lock)
    return end(common, result, to)
