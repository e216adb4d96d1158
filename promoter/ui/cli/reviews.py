"""`promoter reviews`, also used by `promoter promote --reviews`: import the reviews of this CI run as votes."""

from typing import TYPE_CHECKING, Annotated

import typer

from promoter.ui.cli.console import complain, print_json, print_text
from promoter.ui.cli.global_options import Common, options
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Where, Which

if TYPE_CHECKING:
    from promoter.api import Promoter
    from promoter.usecases.import_reviews import Imported

Called = Annotated[str | None, typer.Option("--as", metavar="NAME", help="The environment's name on the platform.")]


@verb
def reviews(common: Common, environment: Where, release: Which = None, called: Called = None) -> int:
    """Import the reviews of this CI run from the platform.

    Each review of the deployment becomes an approval or a reject of the grade platform, for what this run requested.
    A review is recorded once, even if it is imported again. `promote --to ENV --reviews` does the same and promotes.

    \b
    Examples:
      promoter reviews prod
      promoter reviews prod --as production
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        imported = promoter.import_reviews(environment, release, called)
    if common.json:
        print_json(imported.document())
    else:
        for line in report_lines(imported):
            print_text(line)
        print_text(f"next: promoter promote {imported.release[:12]} --to {environment} {options(common)}".rstrip())
    return 0


def before_promoting(promoter: "Promoter", release: str | None, environment: str) -> None:
    """Import reviews, unless nothing waits there."""
    if not promoter.waits_there(environment, release):
        complain(f"promoter: no review imported: this release does not wait in {environment}")
        return
    for line in report_lines(promoter.import_reviews(environment, release)):
        complain(f"promoter: {line}")


def report_lines(imported: "Imported") -> list[str]:
    from promoter.ui.reports.progress_lines import clean

    lines = [f"{fact.kind} by {fact.body['principal']}, reviewed on {imported.run}, fact {fact.seq}" for fact in imported.facts]
    if not imported.facts:
        lines.append(f"no new review of {imported.run}" + (f", {imported.known} known already" if imported.known else ""))
    return [clean(line) for line in (*lines, *imported.passed_over)]
