"""`promoter rollback`."""

from typing import Annotated

import typer

from promoter.ui.cli.completion import verified
from promoter.ui.cli.durations import wait_lock_of
from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import WaitLock, Where

Back = Annotated[
    str | None,
    typer.Option("--to", metavar="RELEASE", autocompletion=verified, help="Which release (the last verified one before this)."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the ledger.")]


Current = Annotated[
    bool, typer.Option("--current-config", help="With the configuration of the file: a promotion, which asks the gates.")
]


@verb
def rollback(
    common: Common,
    environment: Where,
    to: Back = None,
    reason: Reason = None,
    current_config: Current = False,
    wait_lock: WaitLock = None,
) -> int:
    """Brings back an earlier verified release and pins the environment.

    The release comes back with the configuration that it ran with there, as the ledger recorded it. The pin keeps the
    next run from promoting what was just taken back; `promoter unpin` lets releases in again.

    \b
    Examples:
      promoter rollback prod --reason "orders fail"
      promoter rollback prod --to 3f2a9c
      promoter rollback prod --current-config
    """
    from promoter.ui.cli.session import opened

    lock = wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        result = promoter.rollback(environment, to, reason, lock, current_config=current_config)
    return end(common, result, environment)
