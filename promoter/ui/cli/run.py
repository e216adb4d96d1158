"""`promoter run`."""

from promoter.ui.cli.durations import wait_lock_of, wait_of
from promoter.ui.cli.finish import end
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import File, To, Wait, WaitLock


@verb
def run(common: Common, file: File = None, to: To = None, wait: Wait = None, wait_lock: WaitLock = None) -> int:
    """Build, push and promote as far as the gates allow.

    A closed gate ends the run with exit code 3; `promoter promote` continues later. What is up to date is not changed.
    An environment that another run holds ends it with exit code 5.

    \b
    Examples:
      promoter run pipeline.yaml
      promoter run --to test
      promoter run --wait 30m --json
    """
    return run_pipeline(common.at(file), to, wait, wait_lock)


def run_pipeline(common: Common, to: str | None, wait: str | None, wait_lock: str | None) -> int:
    """Run, print the result and return the exit code."""
    from promoter.ui.cli.load_file import print_remarks
    from promoter.ui.cli.session import opened

    span, lock = wait_of(common, wait), wait_lock_of(common, wait_lock)
    with opened(common) as promoter:
        result = promoter.run(to, span, lock)
        remarks = promoter.loaded.remarks
    if not common.quiet:
        print_remarks(remarks)
    return end(common, result, to)
