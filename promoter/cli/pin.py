"""`promoter pin` and `promoter unpin`."""

from typing import Annotated

import typer

from promoter.cli.approve import Where
from promoter.cli.common import Common, verb
from promoter.cli.output import say, say_json
from promoter.model.facts import Fact

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the ledger.", show_default=False)]


@verb
def pin(common: Common, environment: Where, reason: Why) -> None:
    """Keeps an environment as it is: promotions leave it alone.

    \b
    Examples:
      promoter pin prod --reason "year end"
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        fact = promoter.pin(environment, reason)
    _tell(common, fact)


@verb
def unpin(common: Common, environment: Where, reason: Why) -> None:
    """Lets promotions into a pinned environment again.

    \b
    Examples:
      promoter unpin prod --reason "year end is over"
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        fact = promoter.unpin(environment, reason)
    _tell(common, fact)


def _tell(common: Common, fact: Fact) -> None:
    if common.json:
        say_json(fact.document())
    elif not common.quiet:
        say(f"{fact.environment} {fact.kind}: {fact.body.get('reason')}")
