"""`promoter ci`."""

import os
from typing import Annotated

import typer

from promoter.promotion.results import Decision, exit_code
from promoter.ui.cli.ci.event import OnPending, work_of
from promoter.ui.cli.ci.session import current, start_verb
from promoter.ui.cli.completion import releases
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import To, WaitLock
from promoter.ui.cli.promote import promote_release
from promoter.ui.cli.run import run_pipeline

Release = Annotated[
    str | None,
    typer.Option(
        "--release", metavar="RELEASE", autocompletion=releases, help="Release id or a prefix of it (default: the newest)."
    ),
]
Pending = Annotated[
    OnPending | None,
    typer.Option("--on-pending", help="Exit code 0 or 3 if the release waits at a gate (default: 0 on GitHub, 3 on GitLab)."),
]


@verb
def ci(common: Common, release: Release = None, to: To = None, wait_lock: WaitLock = None, on_pending: Pending = None) -> int:
    """Do what the event of this CI job asks for.

    On a push it does `promoter run`. On a schedule it promotes the newest release, but only if a release is waiting. If the job
    was started manually or by a trigger, it does `promoter promote`. PROMOTER_CI_RELEASE and PROMOTER_CI_ENVIRONMENT are the
    same as --release and --to; empty ones are ignored.

    \b
    Examples:
      promoter ci --wait-lock 10m
      promoter ci --release 3f2a9c --to test
      promoter ci --on-pending fail --json
    """
    work = work_of(os.environ, release, to)
    start_verb(common, work.verb)  # the reports are those of that command
    if work.if_waiting and not _waits(common):
        return 0
    if work.verb == "run":
        code = run_pipeline(common, work.to, None, wait_lock)
    else:
        code = promote_release(common, work.release, work.to, None, wait_lock)
    if code == exit_code(Decision.PENDING) and (on_pending or work.on_pending) is OnPending.SUCCEED:
        current().platform.notice("waits at a gate without using a runner; a later job continues when the gate is open")
        return 0
    return code


def _waits(common: Common) -> bool:
    """Return whether a release waits in any environment; if none does, print that."""
    from promoter.model.verdict import ReasonCode
    from promoter.promotion.results import RunResult
    from promoter.ui.cli.console import print_json, print_text
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        found = promoter.status(None)
    if any(one.waiting is not None for one in found.environments):
        return True
    if common.json:
        print_json(RunResult(found.pipeline, None, (), ReasonCode.NOTHING_TO_DO).document())
    elif not common.quiet:
        print_text("no release is waiting")
    return False
