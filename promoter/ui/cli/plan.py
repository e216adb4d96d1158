"""`promoter plan`."""

from promoter.ui.cli.ci.session import current
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common, options
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import To, Which


@verb
def plan(common: Common, release: Which = None, to: To = None) -> None:
    """Show what promote would do; change nothing.

    Exit code 0 if the plan could be made, even if a gate is closed.

    \b
    Examples:
      promoter plan
      promoter plan 3f2a9c --to prod
      promoter plan --json | jq '.environments[] | {name, changes}'
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        result = promoter.plan(release, to)
        now = promoter.ports.clock.now()
    if common.json:
        print_json(result.document())
    else:
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.plan import planned

        print_text(planned(result, view_of(common, now)))
    current().ended(result, to, options(common))
