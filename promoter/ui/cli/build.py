"""`promoter build`."""

from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import File


@verb
def build(common: Common, file: File = None) -> int:
    """Build and push only: make a release.

    \b
    Examples:
      promoter build pipeline.yaml
      promoter build --json | jq -r .release.id
    """
    from promoter.ui.cli.session import opened

    common = common.at(file)
    with opened(common) as promoter:
        result = promoter.build()
    return end(common, result)
