"""promoter from Python: open a pipeline and use the functions of the command line.

    with promoter.api.open_pipeline("pipeline.yaml") as shop:
        shop.promote(None, to="test", wait=None)

Each method imports what it needs when it is called, so that opening a pipeline is fast.
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
    from promoter.usecases.approval_case import ApprovalCase
    from promoter.usecases.context import Context
    from promoter.usecases.drift import DriftReport
    from promoter.usecases.exec import Execution
    from promoter.usecases.explain import Explanation
    from promoter.usecases.history import LedgerReport
    from promoter.usecases.holds import Vetoed
    from promoter.usecases.import_reviews import Imported
    from promoter.usecases.inbox import Inbox
    from promoter.usecases.logs import LogEntry
    from promoter.usecases.ports.bundle import UseCasePorts
    from promoter.usecases.ports.platform import Forge, Target
    from promoter.usecases.redacted_lines import WriteLine
    from promoter.usecases.status import LocksReport, StatusReport


class Promoter:
    """One pipeline, its ledger and its ports."""

    def __init__(self, context: "Context") -> None:
        self.context = context

    @property
    def loaded(self) -> "Loaded":
        """The pipeline file."""
        return self.context.loaded

    @property
    def ports(self) -> "UseCasePorts":
        """The ports to the outside world."""
        return self.context.ports

    def interrupt(self) -> None:
        """Stop cleanly: end the running step and restore what was changed. May be called from a signal handler."""
        self.context.interrupt()

    def run(self, to: str | None, wait: "timedelta | None", wait_lock: "timedelta | None" = None) -> "RunResult":
        """Build, push, and promote as far as the gates allow."""
        from promoter.usecases.promote import run

        return run(self.context, to, wait, wait_lock)

    def build(self) -> "RunResult":
        """Build and push only. The release is recorded and not promoted."""
        from promoter.usecases.build import build

        return build(self.context)

    def promote(
        self, release: str | None, to: str | None, wait: "timedelta | None", wait_lock: "timedelta | None" = None
    ) -> "RunResult":
        """Continue promoting a release; this resumes a waiting run."""
        from promoter.usecases.promote import promote

        return promote(self.context, release, to, wait, wait_lock)

    def plan(self, release: str | None, to: str | None) -> "RunResult":
        """Return what `promote` would do. Change nothing and run no checks."""
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

        `current_config` takes the configuration of the file instead: that is a promotion that must pass the gates.
        A rollback that was interrupted before its pin was recorded is completed; it does not go back a second time.
        """
        from promoter.usecases.rollback import rollback

        return rollback(self.context, environment, to, reason, wait_lock, current_config=current_config)

    def has_gates(self, environment: str) -> bool:
        """Return whether promotions to an environment must pass gates. Raise CallerError for an unknown name."""
        from promoter.usecases.context import has_gates

        return has_gates(self.context, environment)

    def repair(
        self, environment: str | None, wait_lock: "timedelta | None" = None, *, force: bool = False, reason: str | None = None
    ) -> "RunResult":
        """Restore what is recorded: the same release, plan and, where possible, containers.

        No new release enters and no gate is evaluated. A veto or a freeze stops it, except with `force` and a reason.
        """
        from promoter.usecases.repair import repair

        return repair(self.context, environment, wait_lock, force=force, reason=reason)

    def case(self, environment: str, release: str | None) -> "ApprovalCase":
        """Return the open request of an environment. Raise CallerError when nothing waits there."""
        from promoter.usecases.approve import approval_case

        return approval_case(self.context, environment, release)

    def check_approval(self, case: "ApprovalCase", key: str | None = None) -> None:
        """Check the right to approve and the key, before the case is shown. Raise Refused for a vote that would not count."""
        from promoter.usecases.vote_checks import check_approval

        check_approval(self.context, case, key)

    def vote(self, case: "ApprovalCase", decision: str, comment: str | None, key: str | None = None) -> "Fact":
        """Append an approval or a reject, bound to exactly what the case shows. Raise Refused when it would not count.

        `key` is the file of an SSH key. The signature covers the digest of the fact before, so that facts before the vote
        cannot be removed. When another fact was appended meanwhile, the vote is signed again.
        """
        from promoter.usecases.approve import vote

        return vote(self.context, case, decision, comment, key)

    def still_missing(self, case: "ApprovalCase") -> tuple[str, ...]:
        """Return what the approval gates of this case still need; nothing when the case is no longer open."""
        from promoter.usecases.approve import still_missing

        return still_missing(self.context, case)

    def check_override(self, case: "ApprovalCase", key: str | None = None) -> None:
        """Check the right to override and the key, before the case is shown. Raise Refused if it would not count."""
        from promoter.usecases.override import check_override

        check_override(self.context, case, key)

    def override(self, case: "ApprovalCase", reason: str, key: str | None = None) -> "Fact":
        """Append a decision to pass the gates for exactly what the case shows. Raise Refused for people who may not."""
        from promoter.usecases.override import override

        return override(self.context, case, reason, key)

    def review(self, environment: str, comment: str | None, key: str | None = None) -> "Fact":
        """Review the oldest override without a review. Raise Refused for the people who made it."""
        from promoter.usecases.override import review

        return review(self.context, environment, comment, key)

    def import_reviews(self, environment: str, release: str | None = None, called: str | None = None) -> "Imported":
        """Import the reviews of this run. `called` is the environment's name on the platform, if it differs.

        Raise CallerError when nothing waits there or this is not a CI run, Refused when this run did not request it.
        """
        from promoter.usecases.import_reviews import import_reviews

        return import_reviews(self.context, environment, release, called)

    def waits_there(self, environment: str, release: str | None) -> bool:
        """Return whether the release that would be promoted is the one that waits for votes there."""
        from promoter.usecases.import_reviews import waits_there

        return waits_there(self.context, environment, release)

    def starter(self, target: "Target") -> "Forge":
        """Return the platform that can start `target`. Called before the vote; raise for everything that is missing."""
        from promoter.usecases.dispatch import starter

        return starter(self.context, target)

    def still_closed(self, case: "ApprovalCase") -> tuple[str, ...]:
        """Return what a job that is started now would wait for."""
        from promoter.usecases.dispatch import still_closed

        return still_closed(self.context, case)

    def dispatch(self, forge: "Forge", target: "Target", case: "ApprovalCase") -> None:
        """Start the job. Raise ForgeError when that fails."""
        from promoter.usecases.dispatch import dispatch

        return dispatch(self.context, forge, target, case)

    def pin(self, environment: str, reason: str) -> "Fact":
        """Pin the environment: automatic promotions do not change it until it is unpinned."""
        from promoter.usecases.holds import pin

        return pin(self.context, environment, reason)

    def unpin(self, environment: str, reason: str) -> "Fact":
        """Unpin the environment. Raise CallerError when it is not pinned."""
        from promoter.usecases.holds import unpin

        return unpin(self.context, environment, reason)

    def freeze(self, environment: str | None, reason: str) -> "Fact":
        """Block promotions into the environment, or into all without one, until it is unfrozen."""
        from promoter.usecases.holds import freeze

        return freeze(self.context, environment, reason)

    def unfreeze(self, environment: str | None, reason: str) -> "Fact":
        """Unfreeze. Raise CallerError when nothing there is frozen, or when one is named and the freeze is for all."""
        from promoter.usecases.holds import unfreeze

        return unfreeze(self.context, environment, reason)

    def veto(self, release: str, reason: str, services: "Sequence[str]" = ()) -> "Vetoed":
        """Ban the release, and every other with one of its images.

        The banned images are those of `services`; by default those that are built here. A third-party image, which all
        releases share, is banned only if its service is named. If nothing is built here, all images are banned.
        """
        from promoter.usecases.holds import veto

        return veto(self.context, release, reason, services)

    def status(self, environment: str | None = None, *, fronts: bool = False) -> "StatusReport":
        """Return the release, health and waiting release of each environment; with `fronts` also what their fronts do."""
        from promoter.usecases.status import status

        return status(self.context, environment, fronts=fronts)

    def drift(self, environment: str | None = None, ignore: "Sequence[str]" = ()) -> "DriftReport":
        """Compare environments with what was recorded, and record new findings. Engine and registry are only read.

        `ignore` are paths of findings to leave out, besides those of the file.
        """
        from promoter.usecases.drift import drift

        return drift(self.context, environment, ignore)

    def inbox(self) -> "Inbox":
        """Return what waits for the actor: votes, reviews, repairs, and releases whose gates are open."""
        from promoter.usecases.inbox import inbox

        return inbox(self.context)

    def locks(self) -> "LocksReport":
        """Return who holds which environment, and until when."""
        from promoter.usecases.status import locks

        return locks(self.context)

    def explain(self, environment: str, release: str | None, at: "datetime | None", *, run_checks: bool) -> "Explanation":
        """Explain the release that waits there, or the newest. A time in the past uses the facts of that time.

        Raise CallerError when there is no such environment or release.
        """
        from promoter.usecases.explain import explain

        return explain(self.context, environment, release, at, run_checks=run_checks)

    def history(self, environment: str | None) -> "list[Fact]":
        """Return facts, oldest first; with an environment, only those of it."""
        from promoter.usecases.history import history

        return history(self.context, environment)

    def show(self, release: str | None = None) -> "dict[str, object]":
        """Return a complete release: images, who made it, where it is and was."""
        from promoter.usecases.history import show

        return show(self.context, release)

    def diff(self, left: str, right: str) -> "dict[str, object]":
        """Return the differences of two environments: images and configuration."""
        from promoter.usecases.history import diff

        return diff(self.context, left, right)

    def logs(self, what: str | None = None, service: str | None = None, lines: int = 100) -> "list[LogEntry]":
        """Return the logs of an environment, or of a release (the newest by default); `lines` of each container at most."""
        from promoter.usecases.logs import logs

        return logs(self.context, what, service, lines)

    def follow(self, environment: str, service: str | None = None, lines: int = 100) -> "Iterator[LogEntry]":
        """Yield the logs of an environment and what is written from now on, until the run is interrupted."""
        from promoter.usecases.logs import follow

        return follow(self.context, environment, service, lines)

    def execute(
        self,
        environment: str,
        service: str,
        command: "Sequence[str]",
        write: "WriteLine",
        *,
        replica: int = 1,
        timeout: "timedelta | None" = None,
        host: "str | None" = None,
    ) -> "Execution":
        """Run a command in a container of a service, and record it. `write` gets each line of its output, without secrets.

        `host` is one of an environment with several; without it, the first that runs the service is used.
        Raise Refused for another engine or ledger than the recorded one, EngineError if the container does not run.
        """
        from promoter.usecases.exec import TIMEOUT, execute

        return execute(self.context, environment, service, command, write, replica=replica, timeout=timeout or TIMEOUT, host=host)

    def ledger_verify(self) -> "LedgerReport":
        """Read the whole chain from its first line, and check each fact against those before it."""
        from promoter.usecases.history import ledger_verify

        return ledger_verify(self.context)

    def ledger_lines(self) -> "Iterator[bytes]":
        """Return the exact lines, as they are hashed."""
        from promoter.usecases.history import ledger_lines

        return ledger_lines(self.context)


def _ignore(_: "Event") -> None:
    """Ignore progress."""


@contextmanager
def open_pipeline(
    file: Path | str,
    *,
    ledger: str | None = None,
    actor: str | None = None,
    listener: "Listener" = _ignore,
    revealed: Callable[[str], None] = lambda _: None,
) -> Iterator[Promoter]:
    """Open a pipeline file with the settings beside it. Raise InvalidFile for a bad file, CallerError for a bad ledger address.

    `listener` gets each event of the progress; `revealed` gets each secret's value once, before it is used.
    """
    from promoter.bootstrap import open_context

    with open_context(Path(file), ledger=ledger, actor=actor, listener=listener, revealed=revealed) as context:
        yield Promoter(context)
