"""Promote a release through environments: `run` builds one first, `promote` uses an existing one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from threading import Thread

from promoter.promotion.results import RunResult
from promoter.usecases.build import make
from promoter.usecases.context import Context, find_release
from promoter.usecases.environments import promotion_options, targets_upto
from promoter.usecases.preflight import preflight

_PROMOTING = "promoter.usecases.promote_release"


def run(ctx: Context, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None) -> RunResult:
    """Build, push, and promote as far as the gates allow."""
    targets = targets_upto(ctx, to)
    source = ctx.ports.source.source(ctx.pipeline.directory)
    preflight(ctx, targets, source, None)
    with _importing_meanwhile():
        made = make(ctx, source)
    from promoter.usecases.promote_release import promote_release

    return promote_release(ctx, made.release, targets, promotion_options(ctx, wait, wait_lock=wait_lock))


def promote(
    ctx: Context, release: str | None, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None
) -> RunResult:
    """Continue promoting a release; this resumes a waiting run."""
    targets = targets_upto(ctx, to)
    chosen = find_release(ctx, release)
    preflight(ctx, targets, chosen.source, chosen)
    from promoter.usecases.promote_release import promote_release

    terms = promotion_options(ctx, wait, pass_older=True, wait_lock=wait_lock)
    return promote_release(ctx, chosen, targets, terms, explicit=to)


@contextmanager
def _importing_meanwhile() -> Iterator[None]:
    """Import what promotes while the engine builds: it takes the time that the build leaves."""
    importing = Thread(target=import_module, args=(_PROMOTING,), daemon=True)
    importing.start()
    try:
        yield
    finally:
        importing.join()
