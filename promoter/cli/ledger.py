"""`promoter ledger verify` and `promoter ledger export`."""

import json

import typer

from promoter.cli.common import Common, verb
from promoter.cli.output import complain, flush, say, say_bytes, say_json

ledger = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@ledger.callback()
@verb
def room(_: Common) -> None:
    """Checks or writes out the ledger.

    \b
    Examples:
      promoter ledger verify
      promoter ledger export > ledger.jsonl
    """


@ledger.command()
@verb
def verify(common: Common) -> int:
    """Checks the chain from the first fact; exit code 1 names the place where it breaks.

    \b
    Examples:
      promoter ledger verify
      promoter ledger verify --json | jq -r .head
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        report = promoter.ledger_verify()
    if common.json:
        say_json(report.document())
    elif report.problem is None:
        say(f"{report.facts} facts, the chain is whole, head {report.head}")
    if report.problem is not None:
        complain(
            f"promoter: the ledger {report.location} is broken: {report.problem}\n"
            f"  whole up to fact {report.facts}, {report.head}"
        )
    return 0 if report.problem is None else 1


@ledger.command()
@verb
def export(common: Common) -> None:
    """Writes the ledger's exact lines, one a fact; with --json as one array.

    \b
    Examples:
      promoter ledger export > ledger.jsonl
      promoter ledger export | tail -n 1 | jq .
    """
    from promoter.cli.door import opened

    with opened(common) as promoter:
        if common.json:
            say_json([json.loads(line) for line in promoter.ledger_lines()])
            return
        for line in promoter.ledger_lines():
            say_bytes(line)
        flush()
