"""`promoter show`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import Which


@verb
def show(common: Common, release: Which = None) -> None:
    """Show one release: its images, its source, where it is and was.

    \b
    Examples:
      promoter show
      promoter show 3f2a9c
      promoter show 3f2a9c --json | jq .release.images
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        document = promoter.show(release)
        facts = [] if common.json else promoter.history(None)
        now = promoter.ports.clock.now()
    if common.json:
        print_json(document)
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.release import release as as_text

        print_text(as_text(document, facts, view_of(common, now)))
