"""`promoter plan`."""

from promoter.cli.common import Common, verb
from promoter.cli.desk import here
from promoter.cli.ending import options
from promoter.cli.output import say, say_json
from promoter.cli.promote import Which
from promoter.cli.waiting import To


@verb
def plan(common: Common, release: Which = None, to: To = None) -> None:
    """Shows what promote would do; changes nothing.

    Exit code 0 whenever the plan could be made, also when a gate is shut.

    \b
    Examples:
      promoter plan
      promoter plan 3f2a9c --to prod
      promoter plan --json | jq '.environments[] | {name, changes}'
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        result = promoter.plan(release, to)
    if common.json:
        say_json(result.document())
    else:
        from promoter.reports.planned import planned

        say(planned(result))
    here().ended(result, to, options(common))
