"""`promoter repair`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import environments
from promoter.ui.cli.durations import wait_lock_of
from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import WaitLock
from promoter.ui.cli.rollback import Reason

Which = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="The environment (default: all).", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Repair despite a veto or a freeze; needs --reason.")]


@verb
def repair(
    common: Common, environment: Which = None, force: Force = False, reason: Reason = None, wait_lock: WaitLock = None
) -> int:
    """Restore the recorded release where containers are down.

    Stopped containers are started; missing ones are created from the recorded plan. Gates are not evaluated, because
    no new release enters. A veto of the release or a freeze stops a repair, except with --force.

    \b
    Examples:
      promoter repair
      promoter repair prod
      promoter repair prod --force --reason "the vetoed release must serve until the fix is out"
    """
    from promoter.ui.cli.session import opened

    lock = wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        result = promoter.repair(environment, lock, force=force, reason=reason)
    return end(common, result, environment)
