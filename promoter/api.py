"""promoter from Python: open a pipeline, and ask for what the command line can do.

    with promoter.api.open_pipeline("pipeline.yaml") as shop:
        shop.promote(None, to="test", wait=None)

Each method imports what it needs when it is called, so that opening a pipeline stays quick.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from promoter.ledger.chain import Fact
    from promoter.pipeline.loader_port import Loaded
    from promoter.promotion.progress import Event, Listener
    from promoter.promotion.results import RunResult
    from promoter.usecases.approve import ApprovalCase
    from promoter.usecases.context import Context
    from promoter.usecases.explain import Explanation
    from promoter.usecases.history import LedgerReport, LogEntry
    from promoter.usecases.holds import Vetoed
    from promoter.usecases.import_reviews import Imported
    from promoter.usecases.ports.bundle import UseCasePorts
    from promoter.usecases.ports.platform import Forge, Target
    from promoter.usecases.status import LocksReport, StatusReport


class Promoter:
    """One pipeline, its ledger, and the world."""

    def __init__(self, context: "Context") -> None:
        self.context = context

    @property
    def loaded(self) -> "Loaded":
        """The pipeline file."""
        return self.context.loaded

    @property
    def ports(self) -> "UseCasePorts":
        """All that is asked of the outside world."""
        return self.context.ports

    def interrupt(self) -> None:
        """Stop cleanly: end what runs, put back what was touched. May be called from a signal handler."""
        self.context.interrupt()

    def run(self, to: str | None, wait: "timedelta | None", wait_lock: "timedelta | None" = None) -> "RunResult":
        """Build, push, and promote as far as the gates allow."""
        from promoter.usecases.promote import run

        return run(self.context, to, wait, wait_lock)

    def build(self) -> "RunResult":
        """Build and push only. The release is recorded and enters nothing."""
        from promoter.usecases.build import build

        return build(self.context)

    def promote(
        self, release: str | None, to: str | None, wait: "timedelta | None", wait_lock: "timedelta | None" = None
    ) -> "RunResult":
        """Carry an existing release on; this is how a waiting run resumes."""
        from promoter.usecases.promote import promote

        return promote(self.context, release, to, wait, wait_lock)

    def plan(self, release: str | None, to: str | None) -> "RunResult":
        """What `promote` would do. Changes nothing and looks at no gate that would need a look at the world."""
        from promoter.usecases.plan import plan

        return plan(self.context, release, to)

    def rollback(
        self,
        environment: str,
        to: str | None,
        reason: str | None,
        wait_lock: "timedelta | None" = None,
        *,
        current_config: bool = False,
    ) -> "RunResult":
        """Promote an earlier verified release with the configuration that it ran with, and pin the environment.

        `current_config` takes the configuration of the file instead: that is a promotion, which asks the gates. A rollback
        that was cut off before its pin was recorded is brought to its end: it does not go back once more.
        """
        from promoter.usecases.rollback import rollback

        return rollback(self.context, environment, to, reason, wait_lock, current_config=current_config)

    def repair(
        self, environment: str | None, wait_lock: "timedelta | None" = None, *, force: bool = False, reason: str | None = None
    ) -> "RunResult":
        """Bring what is recorded back to running: the same release, plan and containers where they can be had.

        It enters no release and asks no gate. A veto and a freeze stop it, unless `force` says to go on, with a reason.
        """
        from promoter.usecases.rollback import repair

        return repair(self.context, environment, wait_lock, force=force, reason=reason)

    def case(self, environment: str, release: str | None) -> "ApprovalCase":
        """The open request of an environment. Raises CallerError when nothing waits there."""
        from promoter.usecases.approve import approval_case

        return approval_case(self.context, environment, release)

    def vote(self, case: "ApprovalCase", decision: str, comment: str | None, key: str | None = None) -> "Fact":
        """Appends an approval or a reject, bound to exactly what the case shows. Raises Refused when it would not count.

        `key` is the file of an SSH key. The vote is signed over the very fact that it follows, so that nobody can take
        facts away from under it: when somebody else was first, it is signed again.
        """
        from promoter.usecases.approve import vote

        return vote(self.context, case, decision, comment, key)

    def still_missing(self, case: "ApprovalCase") -> tuple[str, ...]:
        """What the approval gates of this case ask for still; nothing when it has moved on meanwhile."""
        from promoter.usecases.approve import still_missing

        return still_missing(self.context, case)

    def override(self, case: "ApprovalCase", reason: str, key: str | None = None) -> "Fact":
        """Appends a decision to pass the gates for exactly what the case shows. Raises Refused from those who may not."""
        from promoter.usecases.override import override

        return override(self.context, case, reason, key)

    def review(self, environment: str, comment: str | None, key: str | None = None) -> "Fact":
        """Looks back on the oldest override that nobody has reviewed. Raises Refused from those who made it."""
        from promoter.usecases.override import review

        return review(self.context, environment, comment, key)

    def import_reviews(self, environment: str, release: str | None = None, called: str | None = None) -> "Imported":
        """Those of this run. `called` is the environment's name on the platform, where that is another.

        Raises CallerError when nothing waits there or this is no run, Refused when this run did not ask for it.
        """
        from promoter.usecases.import_reviews import import_reviews

        return import_reviews(self.context, environment, release, called)

    def waits_there(self, environment: str, release: str | None) -> bool:
        """Whether the release that would be promoted is the one that asks for votes there."""
        from promoter.usecases.import_reviews import waits_there

        return waits_there(self.context, environment, release)

    def starter(self, target: "Target") -> "Forge":
        """The platform that can start `target`. Raises, before anybody has voted, for everything that is missing."""
        from promoter.usecases.dispatch import starter

        return starter(self.context, target)

    def still_shut(self, case: "ApprovalCase") -> tuple[str, ...]:
        """What a job that is started now would have to wait for."""
        from promoter.usecases.dispatch import still_shut

        return still_shut(self.context, case)

    def dispatch(self, forge: "Forge", target: "Target", case: "ApprovalCase") -> None:
        """Raises ForgeError when it could not be started."""
        from promoter.usecases.dispatch import dispatch

        return dispatch(self.context, forge, target, case)

    def pin(self, environment: str, reason: str) -> "Fact":
        """Automatic promotion leaves the environment alone until it is unpinned."""
        from promoter.usecases.holds import pin

        return pin(self.context, environment, reason)

    def unpin(self, environment: str, reason: str) -> "Fact":
        """Raises CallerError when it is not pinned."""
        from promoter.usecases.holds import unpin

        return unpin(self.context, environment, reason)

    def freeze(self, environment: str | None, reason: str) -> "Fact":
        """Nothing may enter the environment, or any without one, until it is unfrozen."""
        from promoter.usecases.holds import freeze

        return freeze(self.context, environment, reason)

    def unfreeze(self, environment: str | None, reason: str) -> "Fact":
        """Raises CallerError when nothing there is frozen, or when all are and one is named."""
        from promoter.usecases.holds import unfreeze

        return unfreeze(self.context, environment, reason)

    def veto(self, release: str, reason: str, services: "Sequence[str]" = ()) -> "Vetoed":
        """Bans the release, and every other that holds one of its images.

        Its images are those of `services`; without, those that are built here: an image of others, which all
        releases share, bans nothing unless somebody says so. Where nothing is built here, all count.
        """
        from promoter.usecases.holds import veto

        return veto(self.context, release, reason, services)

    def status(self) -> "StatusReport":
        """Where each release is, how it is, and what waits."""
        from promoter.usecases.status import status

        return status(self.context)

    def locks(self) -> "LocksReport":
        """Who holds which environment, and until when."""
        from promoter.usecases.status import locks

        return locks(self.context)

    def explain(self, environment: str, release: str | None, at: "datetime | None", *, run_checks: bool) -> "Explanation":
        """For the release that waits there, or the newest. A time in the past is judged by the facts of then.

        Raises CallerError when there is no such environment or release.
        """
        from promoter.usecases.explain import explain

        return explain(self.context, environment, release, at, run_checks=run_checks)

    def history(self, environment: str | None) -> "list[Fact]":
        """Facts, oldest first; with an environment, only its own."""
        from promoter.usecases.history import history

        return history(self.context, environment)

    def show(self, release: str) -> "dict[str, object]":
        """A release whole: what it holds, who made it, where it is and was."""
        from promoter.usecases.history import show

        return show(self.context, release)

    def diff(self, left: str, right: str) -> "dict[str, object]":
        """What differs between two environments: images and configuration."""
        from promoter.usecases.history import diff

        return diff(self.context, left, right)

    def logs(self, release: str) -> "list[LogEntry]":
        """What steps and failed containers of a release left in the ledger, then what its containers say now."""
        from promoter.usecases.history import logs

        return logs(self.context, release)

    def ledger_verify(self) -> "LedgerReport":
        """Reads the whole chain from its first line, and holds each fact against those before it."""
        from promoter.usecases.history import ledger_verify

        return ledger_verify(self.context)

    def ledger_lines(self) -> "Iterator[bytes]":
        """The exact lines, as they are hashed."""
        from promoter.usecases.history import ledger_lines

        return ledger_lines(self.context)


def _ignore(_: "Event") -> None:
    """Where nothing listens."""


@contextmanager
def open_pipeline(
    file: Path | str,
    *,
    ledger: str | None = None,
    actor: str | None = None,
    listener: "Listener" = _ignore,
    revealed: Callable[[str], None] = lambda _: None,
) -> Iterator[Promoter]:
    """Open a pipeline file with the settings beside it. Raises InvalidFile for a bad file, CallerError for a bad ledger address.

    `listener` gets each event of the progress; `revealed` gets each secret's value once, before it is used.
    """
    from promoter.bootstrap import open_context

    with open_context(Path(file), ledger=ledger, actor=actor, listener=listener, revealed=revealed) as context:
        yield Promoter(context)
