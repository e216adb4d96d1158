"""`promoter` without a command: where this directory is, and what to do next."""

from promoter.ui.cli.console import print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.status import show_status

_START = """\
there is no pipeline file {0} here
next: promoter init      write one, from a Dockerfile or a Compose file
      promoter --help    show all commands"""
_MORE = "\npromoter inbox shows what waits for you, promoter --help all commands"


def overview(common: Common) -> None:
    """Show the status of the pipeline here, or how to begin."""
    if not common.json and not common.pipeline.exists():
        print_text(_START.format(common.pipeline))
        return
    show_status(common, None, watch=False)
    if not common.json:
        print_text(_MORE)
