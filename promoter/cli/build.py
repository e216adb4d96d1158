"""`promoter build`."""

from promoter.cli.common import Common, verb
from promoter.cli.ending import end
from promoter.cli.run import File


@verb
def build(common: Common, file: File = None) -> int:
    """Builds and pushes only: makes a release.

    \b
    Examples:
      promoter build pipeline.yaml
      promoter build --json | jq -r .release.id
    """
    from promoter.cli.door import opened

    common = common.at(file)
    with opened(common) as promoter:
        result = promoter.build()
    return end(common, result)
