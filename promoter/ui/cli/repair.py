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
    typer.Argument(
        metavar="[ENV]", autocompletion=environments, help="The environment; all of them without.", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Repair in spite of a veto or a freeze, with --reason.")]


@verb
def repair(
    common: Common, environment: Which = None, force: Force = False, reason: Reason = None, wait_lock: WaitLock = None
) -> int:
    """Brings the recorded release back to running, and nothing else.

    A container that stopped is started, one that is missing is created from the recorded plan. No gate is asked, because
    nothing new enters; a veto of the release and a freeze stop a repair, unless --force says to go on.

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
