"""`promoter run`."""

from pathlib import Path
from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.completing import files
from promoter.cli.ending import end
from promoter.cli.waiting import To, Wait, WaitLock, wait_lock_of, wait_of

File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", autocompletion=files, help="The pipeline file (pipeline.yaml).", show_default=False),
]


@verb
def run(common: Common, file: File = None, to: To = None, wait: Wait = None, wait_lock: WaitLock = None) -> int:
    """Builds, pushes and promotes as far as the gates allow.

    A gate that is shut ends the run with exit code 3 and holds nothing; `promoter promote` carries on. What is as
    it should be already is left alone. An environment that another run holds ends it with exit code 5.

    \b
    Examples:
      promoter run pipeline.yaml
      promoter run --to test
      promoter run --wait 30m --json
    """
    from promoter.cli.checked import say_remarks
    from promoter.cli.door import opened

    common = common.at(file)
    span, lock = wait_of(common, wait), wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        result = promoter.run(to, span, lock)
        remarks = promoter.loaded.remarks
    if not common.quiet:
        say_remarks(remarks)
    return end(common, result, to)
