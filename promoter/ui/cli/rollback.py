"""`promoter rollback`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import verified
from promoter.ui.cli.confirm import can_ask, confirmed_by_name
from promoter.ui.cli.console import complain
from promoter.ui.cli.durations import wait_lock_of
from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import WaitLock, Where, Yes

Back = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="RELEASE",
        autocompletion=verified,
        help="The release to return to (default: the last verified one before this).",
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="The reason; recorded in the ledger.")]


Current = Annotated[
    bool, typer.Option("--current-config", help="Use the configuration of the file: a promotion that must pass the gates.")
]


@verb
def rollback(
    common: Common,
    environment: Where,
    to: Back = None,
    reason: Reason = None,
    current_config: Current = False,
    wait_lock: WaitLock = None,
    yes: Yes = False,
) -> int:
    """Roll an environment back and pin it.

    The earlier release returns with the configuration that it ran with there, as recorded in the ledger. The pin keeps
    the next run from promoting the newer release again; `promoter unpin` allows promotions again.
    On a terminal it asks for the name of an environment that has gates, unless --yes is given.

    \b
    Examples:
      promoter rollback prod --reason "orders fail"
      promoter rollback prod --to 3f2a9c
      promoter rollback prod --current-config
    """
    from promoter.ui.cli.session import opened

    lock = wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        if not yes and can_ask() and promoter.has_gates(environment) and not confirmed_by_name(environment, "roll back"):
            complain("promoter: nothing was changed")
            return 1
        result = promoter.rollback(environment, to, reason, lock, current_config=current_config)
    return end(common, result, environment)
