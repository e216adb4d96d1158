"""`promoter override` passes the gates in an emergency; `promoter review` confirms that afterwards."""

from typing import Annotated

import typer

from promoter.ui.cli.confirm import confirmed_by_name
from promoter.ui.cli.console import complain, print_json, print_text
from promoter.ui.cli.global_options import Common, options
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Comment, Key, Where, Which, Yes

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the gates must be passed; recorded in the ledger.")]


@verb
def override(common: Common, environment: Where, reason: Reason, release: Which = None, key: Key = None, yes: Yes = False) -> int:
    """Pass the gates in an emergency, after a confirmation.

    Only the people under `override` of the environment may do this. A veto still blocks. The next normal promotion
    there is refused until another person runs `promoter review`.

    \b
    Examples:
      promoter override prod --reason "checkout is down, fix is in 3f2a9c" --key ~/.ssh/id_ed25519
    """
    from promoter.ui.cli.approve import shown_case
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        case = promoter.case(environment, release)
        promoter.check_override(case, key)
        shown_case(common, case, promoter.ports.clock.now(), yes=True)
        if not yes and not confirmed_by_name(environment, f"pass all gates of {environment} for {case.release.short_id}"):
            complain("promoter: nothing was recorded")
            return 1
        fact = promoter.override(case, reason, key)
    if common.json:
        print_json(fact.document())
    else:
        print_text(f"OVERRIDDEN by {fact.actor}, fact {fact.seq}: {reason}")
        print_text(f"next: promoter promote {options(common)}".rstrip())
        print_text(f"then another person: promoter review {environment} {options(common)}".rstrip())
    return 0


@verb
def review(common: Common, environment: Where, comment: Comment = None, key: Key = None) -> int:
    """Review an override, as a second person.

    Normal promotions to that environment are refused until an override is reviewed.

    \b
    Examples:
      promoter review prod --comment "seen, justified" --key ~/.ssh/id_ed25519
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        fact = promoter.review(environment, comment, key)
    if common.json:
        print_json(fact.document())
    else:
        print_text(f"reviewed by {fact.actor}, fact {fact.seq}")
    return 0
