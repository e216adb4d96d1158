"""`promoter approve --dispatch`: start the job that continues after the vote, and report how that went."""

from typing import TYPE_CHECKING

from promoter.model.errors import ForgeError
from promoter.ui.cli.console import complain, print_text
from promoter.ui.cli.global_options import Common, options
from promoter.usecases.ports.platform import USUAL, Target, parse_target

if TYPE_CHECKING:
    from promoter.api import Promoter
    from promoter.usecases.approval_case import ApprovalCase


def target_of(common: Common, asked: bool | None) -> Target | None:
    """Return what to start, by the settings; None when nothing is started."""
    from promoter.adapters.settings import load_settings

    setting = None if asked is False else load_settings(common.pipeline.parent).dispatch
    if setting is not None:
        return parse_target(setting)
    return USUAL if asked else None


class StartedJob:
    """A job to start. Made before the vote, so that whatever is missing for it is raised before the vote."""

    def __init__(self, promoter: "Promoter", target: Target) -> None:
        self._promoter, self._target = promoter, target
        self._forge = promoter.starter(target)
        self.done = False
        self._closed: tuple[str, ...] = ()
        self._failed: ForgeError | None = None

    def go(self, case: "ApprovalCase") -> None:
        """Start the job, unless something is missing: the job could only wait."""
        self._closed = self._promoter.still_closed(case)
        if self._closed:
            return
        try:
            self._promoter.dispatch(self._forge, self._target, case)
            self.done = True
        except ForgeError as error:
            self._failed = error

    def report(self, common: Common, case: "ApprovalCase", *, quiet: bool) -> int:
        """Report how it went and return the exit code. `quiet` writes nothing to stdout."""
        from promoter.ui.reports.progress_lines import clean

        by_hand = f"promoter promote {case.release.short_id} --to {case.environment} {options(common)}".rstrip()
        if self._failed is not None:
            hint = f"\n  {clean(self._failed.hint)}" if self._failed.hint else ""
            complain(
                f"promoter: vote recorded; starting {self._target} failed: {clean(self._failed.message)}{hint}\n  next: {by_hand}"
            )
            return 1
        write = complain if quiet else print_text
        for sentence in self._closed:
            write(f"{self._target} was not started: still missing: {clean(sentence)}")
        if self.done:
            repository = f"{self._forge.platform.shown}, {clean(self._forge.repository)}"
            write(f"started {self._target} at {repository}; it continues the promotion")
        return 0
