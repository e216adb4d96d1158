"""`promoter approve` and `promoter reject`: the case first, then the question, then the vote."""

import sys
from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.completing import environments
from promoter.cli.ending import options
from promoter.cli.output import complain, say, say_json
from promoter.cli.promote import Which
from promoter.model.errors import CallerError

Where = Annotated[str, typer.Argument(metavar="ENV", autocompletion=environments, help="The environment.", show_default=False)]
Comment = Annotated[str | None, typer.Option("--comment", metavar="TEXT", help="Why; it stands in the ledger.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="FILE", help="Sign with this SSH key (or the .pub of one in your agent); else git's, if it has one."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@verb
def approve(
    common: Common, environment: Where, release: Which = None, comment: Comment = None, key: Key = None, yes: Yes = False
) -> int:
    """Shows the case for an environment, asks, and approves.

    The approval counts for these digests, this plan, this environment and what runs there now, and for nothing else.

    \b
    Examples:
      promoter approve prod
      promoter approve prod --key ~/.ssh/id_ed25519
      promoter approve prod --comment "seen on test" --yes
    """
    return _vote(common, environment, release, "approve", comment, key, yes=yes)


@verb
def reject(
    common: Common, environment: Where, release: Which = None, comment: Comment = None, key: Key = None, yes: Yes = False
) -> int:
    """Shows the case for an environment, asks, and rejects.

    A reject shuts the gate until the plan changes.

    \b
    Examples:
      promoter reject prod --comment "the banner is wrong"
    """
    return _vote(common, environment, release, "reject", comment, key, yes=yes)


def _vote(
    common: Common, environment: str, release: str | None, decision: str, comment: str | None, key: str | None, *, yes: bool
) -> int:
    from promoter.cli.door import opened
    from promoter.reports.case import case as as_text
    from promoter.reports.sentences import clean

    with opened(common) as promoter:
        case = promoter.case(environment, release)
        (complain if common.json else say)(as_text(case) + "\n")
        if not yes and not confirmed(f"{decision} release {case.release.short_id} for {environment}?"):
            complain("promoter: nothing was recorded")
            return 1
        fact = promoter.vote(case, decision, comment, key)
        missing = promoter.still_missing(case) if decision == "approve" else ()
    if common.json:
        say_json(fact.document())
    else:
        said = {"approve": "approved", "reject": "rejected"}[decision]
        say(f"{said} by {fact.actor}, fact {fact.seq}" + (", signed" if "envelope" in fact.body else ""))
        for sentence in missing:
            say(f"not enough yet: {clean(sentence)}")
        if decision == "approve":
            say(f"next: promoter promote {options(common)}")
    return 0


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise CallerError(
            "nobody is here to be asked: standard input is no terminal", hint="look at the case above, then say --yes"
        )
    return typer.confirm(question, err=True)
