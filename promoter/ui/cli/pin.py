"""`promoter pin`, `unpin`, `freeze` and `unfreeze`."""

from typing import Annotated

import typer

from promoter.ledger.chain import Fact
from promoter.ui.cli.completion import environments
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where

WhereOrAll = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=environments, help="The environment (default: all).", show_default=False),
]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="The reason; recorded in the ledger.", show_default=False)]


@verb
def pin(common: Common, environment: Where, reason: Why) -> None:
    """Pin an environment: automatic promotions do not change it.

    \b
    Examples:
      promoter pin prod --reason "year end"
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        fact = promoter.pin(environment, reason)
    _report(common, fact)


@verb
def unpin(common: Common, environment: Where, reason: Why) -> None:
    """Allow promotions into a pinned environment again.

    \b
    Examples:
      promoter unpin prod --reason "year end is over"
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        fact = promoter.unpin(environment, reason)
    _report(common, fact)


@verb
def freeze(common: Common, reason: Why, environment: WhereOrAll = None) -> None:
    """Block promotions into an environment, or into all of them.

    \b
    Examples:
      promoter freeze prod --reason "incident 4711"
      promoter freeze --reason "the registry moves"
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        fact = promoter.freeze(environment, reason)
    _report(common, fact)


@verb
def unfreeze(common: Common, reason: Why, environment: WhereOrAll = None) -> None:
    """Allow promotions again after a freeze.

    \b
    Examples:
      promoter unfreeze prod --reason "incident 4711 is closed"
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        fact = promoter.unfreeze(environment, reason)
    _report(common, fact)


def _report(common: Common, fact: Fact) -> None:
    if common.json:
        print_json(fact.document())
    elif not common.quiet:
        print_text(f"{fact.environment or 'all environments'} {fact.kind}: {fact.body.get('reason')}")
