"""`promoter reviews`, and what `promoter promote --reviews` does first: the reviews of this CI run become votes."""

from typing import TYPE_CHECKING, Annotated

import typer

from promoter.ui.cli.console import complain, say, say_json
from promoter.ui.cli.finish import options
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where, Which

if TYPE_CHECKING:
    from promoter.api import Promoter
    from promoter.usecases.import_reviews import Imported

Called = Annotated[str | None, typer.Option("--as", metavar="NAME", help="What the platform calls the environment.")]


@verb
def reviews(common: Common, environment: Where, release: Which = None, called: Called = None) -> int:
    """Records what people said on the platform about this CI run.

    Each review of the deployment becomes an approval or a reject of the grade platform, for what this very run asked
    for. Recorded once, however often it is imported. `promote --to ENV --reviews` does the same and promotes.

    \b
    Examples:
      promoter reviews prod
      promoter reviews prod --as production
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        imported = promoter.import_reviews(environment, release, called)
    if common.json:
        say_json(imported.document())
    else:
        for line in told(imported):
            say(line)
        say(f"next: promoter promote {imported.release[:12]} --to {environment} {options(common)}")
    return 0


def before_promoting(promoter: "Promoter", release: str | None, environment: str) -> None:
    """Imports, unless nothing waits there: then there is nothing that a review could be about."""
    if not promoter.waits_there(environment, release):
        complain(f"promoter: no review is imported: this release does not wait in {environment}")
        return
    for line in told(promoter.import_reviews(environment, release)):
        complain(f"promoter: {line}")


def told(imported: "Imported") -> list[str]:
    from promoter.ui.reports.progress_lines import clean

    lines = [f"{fact.kind} by {fact.body['principal']}, reviewed on {imported.run}, fact {fact.seq}" for fact in imported.facts]
    if not imported.facts:
        lines.append(f"no new review of {imported.run}" + (f", {imported.known} known already" if imported.known else ""))
    return [clean(line) for line in (*lines, *imported.passed_over)]
