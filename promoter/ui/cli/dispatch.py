"""What `promoter approve --dispatch` does after the vote: starts the job that carries on, and says how that went."""

from typing import TYPE_CHECKING

from promoter.model.errors import ForgeError
from promoter.ui.cli.console import complain, say
from promoter.ui.cli.finish import options
from promoter.ui.cli.global_options import Common
from promoter.usecases.ports.platform import USUAL, Target, parse_target

if TYPE_CHECKING:
    from promoter.api import Promoter
    from promoter.usecases.approve import ApprovalCase


def target_of(common: Common, asked: bool | None) -> Target | None:
    """What to start, by the settings; None when nothing is to be started."""
    from promoter.adapters.settings import load_settings

    said = None if asked is False else load_settings(common.pipeline.parent).dispatch
    if said is not None:
        return parse_target(said)
    return USUAL if asked else None


class StartedJob:
    """One job to be started. Made before the vote: what is missing for it is raised then."""

    def __init__(self, promoter: "Promoter", target: Target) -> None:
        self._promoter, self._target = promoter, target
        self._forge = promoter.starter(target)
        self.done = False
        self._shut: tuple[str, ...] = ()
        self._failed: ForgeError | None = None

    def go(self, case: "ApprovalCase") -> None:
        """Nothing is started while something is missing: that job could only wait."""
        self._shut = self._promoter.still_shut(case)
        if self._shut:
            return
        try:
            self._promoter.dispatch(self._forge, self._target, case)
            self.done = True
        except ForgeError as error:
            self._failed = error

    def told(self, common: Common, case: "ApprovalCase", *, quiet: bool) -> int:
        """Says how it went, and gives the exit code. `quiet` keeps stdout free."""
        from promoter.ui.reports.progress_lines import clean

        by_hand = f"promoter promote {case.release.short_id} --to {case.environment} {options(common)}"
        if self._failed is not None:
            hint = f"\n  {clean(self._failed.hint)}" if self._failed.hint else ""
            complain(
                f"promoter: the vote stands, but {self._target} was not started: {clean(self._failed.message)}{hint}"
                f"\n  next: {by_hand}"
            )
            return 1
        tell = complain if quiet else say
        for sentence in self._shut:
            tell(f"{self._target} was not started, because this is still missing: {clean(sentence)}")
        if self.done:
            tell(f"started {self._target} at {self._forge.platform.shown}, {clean(self._forge.repository)}: it carries on")
        return 0
