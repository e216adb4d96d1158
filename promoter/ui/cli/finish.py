"""The end of a verb that runs something: its answer on stdout and its exit code."""

from datetime import UTC, datetime

from promoter.promotion.results import Decision, RunResult, exit_code
from promoter.ui.cli.ci.session import current
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common, options


def end(common: Common, result: RunResult, named: str | None = None) -> int:
    """Print the result; with `--quiet` only if it is not a success. `named` is the environment that the command named."""
    if common.json:
        print_json(result.document())
    elif not (common.quiet and result.decision is Decision.COMPLETE):
        from promoter.ui.cli.view import view_of
        from promoter.ui.reports.summary import summary

        print_text(summary(result, view_of(common, datetime.now(UTC))))
    current().ended(result, named, options(common))
    return exit_code(result.decision)
