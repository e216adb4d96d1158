"""Open a Promoter from the global options, with progress on stderr and signals that stop a run cleanly."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import FrameType

from promoter import api
from promoter.model.redaction import redacted
from promoter.promotion.progress import Event, Listener
from promoter.ui.cli.ci.session import CiSession, current
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.streams import redirect_closed


@contextmanager
def opened(common: Common) -> Iterator[api.Promoter]:
    """Open the pipeline that the options name."""
    with ExitStack() as stack:
        session = current()
        listener = _redacting(session, session.platform.listening(stack.enter_context(progress(common))))
        promoter = stack.enter_context(
            api.open_pipeline(
                common.pipeline, ledger=common.ledger, actor=common.actor, listener=listener, revealed=session.platform.mask
            )
        )
        session.loaded, session.redact = promoter.loaded, promoter.ports.secrets.redact
        stack.enter_context(_interruptible(promoter.interrupt))
        yield promoter


def _redacting(session: CiSession, listener: Listener) -> Listener:
    """Remove the values of secrets from every event."""
    return lambda event: listener(redacted(event, session.redact))


def progress(common: Common) -> AbstractContextManager[Listener]:
    """Return the progress display: the CI's, live on a terminal, else plain lines; none with `--quiet`."""
    if common.quiet:
        return nullcontext(_ignore)
    if (theirs := current().platform.progress()) is not None:
        return theirs
    from promoter.ui.reports.brief import Brief

    brief = None if common.verbose else Brief()
    if _is_live(common):
        from promoter.ui.reports.terminal import Terminal

        return Terminal(sys.stderr, brief)
    from promoter.ui.reports.plain import Plain

    return Plain(sys.stderr, brief)


def _is_live(common: Common) -> bool:
    return not common.json and sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def _ignore(_: Event) -> None:
    """Ignore events, for `--quiet`."""


@contextmanager
def _interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """Stop the run cleanly at the first SIGINT, SIGTERM or SIGHUP, and at once at the second.

    A closed terminal sends SIGHUP. A signal that is ignored, as with `nohup`, remains ignored.
    """

    def first(number: int, _: FrameType | None) -> None:
        for each in kept:
            signal.signal(each, second)
        interrupt()
        redirect_closed()
        os.write(2, f"\npromoter: {signal.Signals(number).name}: stopping cleanly; press Ctrl-C again to stop now\n".encode())

    def second(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    kept = {number: was for number in asked if (was := signal.getsignal(number)) is not signal.SIG_IGN or number != signal.SIGHUP}
    for number in kept:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
