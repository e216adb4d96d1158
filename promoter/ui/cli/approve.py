"""`promoter approve` and `promoter reject`: show the case, ask, vote, then start a job if configured."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from promoter.ledger.chain import Fact
from promoter.ui.cli.confirm import confirmed
from promoter.ui.cli.console import complain, print_json, print_text
from promoter.ui.cli.global_options import Common, options
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Comment, Dispatch, Key, Where, Which, Yes
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.ports.platform import Target


@verb
def approve(
    common: Common,
    environment: Where,
    release: Which = None,
    comment: Comment = None,
    key: Key = None,
    dispatch: Dispatch = None,
    yes: Yes = False,
) -> int:
    """Approve what waits for an environment, after a confirmation.

    Shows the case first. The approval counts only for these digests, this plan, this environment and what runs there now.

    \b
    Examples:
      promoter approve prod
      promoter approve prod --key ~/.ssh/id_ed25519
      promoter approve prod --comment "seen on test" --yes
      promoter approve prod --dispatch
    """
    from promoter.ui.cli.dispatch import target_of

    return _vote(common, environment, release, "approve", comment, key, target_of(common, dispatch), yes=yes)


@verb
def reject(
    common: Common, environment: Where, release: Which = None, comment: Comment = None, key: Key = None, yes: Yes = False
) -> int:
    """Reject what waits for an environment, after a confirmation.

    Shows the case first. A reject closes the gate until the plan changes.

    \b
    Examples:
      promoter reject prod --comment "the banner is wrong"
    """
    return _vote(common, environment, release, "reject", comment, key, None, yes=yes)


def _vote(
    common: Common,
    environment: str,
    release: str | None,
    decision: str,
    comment: str | None,
    key: str | None,
    target: Target | None,
    *,
    yes: bool,
) -> int:
    from promoter.ui.cli.dispatch import StartedJob
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        start = None if target is None else StartedJob(promoter, target)
        case = promoter.case(environment, release)
        if decision == "approve":
            promoter.check_approval(case, key)
        show = shown_case(common, case, promoter.ports.clock.now(), yes=yes)
        if not yes and not confirmed(f"{decision} release {case.release.short_id} for {environment}?", show):
            complain("promoter: nothing was recorded")
            return 1
        fact = promoter.vote(case, decision, comment, key)
        missing = promoter.still_missing(case) if decision == "approve" else ()
        if start is not None:
            start.go(case)
    if common.json:
        print_json(fact.document() if start is None else {**fact.document(), "dispatched": start.done})
    else:
        _report(common, fact, decision, missing, started=start is not None and start.done)
    return 0 if start is None else start.report(common, case, quiet=common.json)


def shown_case(common: Common, case: ApprovalCase, now: datetime, *, yes: bool) -> Callable[[], None] | None:
    """Show a case, briefly if a person is asked on a terminal. Return the function that shows all of it."""
    from promoter.ui.cli.view import view_of
    from promoter.ui.reports.approval_request import case as as_text

    show = complain if common.json else print_text
    view = view_of(common, now, sys.stderr if common.json else sys.stdout)
    whole = as_text(case, view, brief=False)
    text = whole if yes or view.width is None or common.verbose else as_text(case, view, brief=True)
    show(text + "\n")
    return None if yes or common.verbose else lambda: show(as_text(case, replace(view, verbose=True), brief=False) + "\n")


def _report(common: Common, fact: Fact, decision: str, missing: tuple[str, ...], *, started: bool) -> None:
    from promoter.ui.reports.progress_lines import clean

    done = {"approve": "approved", "reject": "rejected"}[decision]
    print_text(f"{done} by {fact.actor}, fact {fact.seq}" + (", signed" if "envelope" in fact.body else ""))
    for sentence in missing:
        print_text(f"not enough yet: {clean(sentence)}")
    if decision == "approve" and not started and not missing:
        print_text(f"next: promoter promote {options(common)}".rstrip())
