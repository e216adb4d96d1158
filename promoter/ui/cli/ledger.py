"""`promoter ledger verify`, `promoter ledger export` and `promoter ledger copy`."""

import json
from typing import Annotated

import typer

from promoter.model.errors import CallerError
from promoter.ui.cli.console import complain, flush, print_bytes, print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

ledger = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@ledger.callback()
@verb
def group(_: Common) -> None:
    """Verify, export or copy the ledger.

    \b
    Examples:
      promoter ledger verify
      promoter ledger export > ledger.jsonl
    """


@ledger.command()
@verb
def verify(common: Common) -> int:
    """Check the chain from the first fact; exit code 1 if it is broken.

    Each fact is also checked against those before it. Impossible facts are listed; every command ignores them.

    \b
    Examples:
      promoter ledger verify
      promoter ledger verify --json | jq -r .head
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        report = promoter.ledger_verify()
    if common.json:
        print_json(report.document())
    elif report.problem is None:
        print_text(f"{report.facts} facts, the chain is intact, head {report.head}")
    for why in report.impossible:
        complain(f"promoter: forged: {why}; ignored")
    if report.note is not None:
        complain(f"promoter: {report.note}")
    if report.problem is not None:
        complain(
            f"promoter: the ledger {report.location} is broken: {report.problem}\n"
            f"  intact up to fact {report.facts}, {report.head}"
        )
    return 0 if report.ok else 1


@ledger.command()
@verb
def export(common: Common) -> None:
    """Write the ledger's exact lines, one for each fact; with --json as one array.

    \b
    Examples:
      promoter ledger export > ledger.jsonl
      promoter ledger export | tail -n 1 | jq .
    """
    from promoter.ui.cli.session import opened

    with opened(common) as promoter:
        if common.json:
            print_json([json.loads(line) for line in promoter.ledger_lines()])
            return
        for line in promoter.ledger_lines():
            print_bytes(line)
        flush()


@ledger.command()
@verb
def copy(
    common: Common,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The ledger to copy, written as for --ledger.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The new ledger: empty, or an older copy.")],
) -> None:
    """Copy a ledger to another store and verify both. Run again after an interruption, it continues.

    \b
    Examples:
      promoter ledger copy sqlite:.promoter/ledger.db git:promoter-ledger
      promoter ledger copy sqlite:.promoter/ledger.db postgresql://promoter@db.internal/promoter
    """
    from promoter.bootstrap import open_copy

    if common.ledger is not None:
        raise CallerError("`ledger copy` does not take --ledger", hint="name both ledgers as arguments: FROM and TO")
    with open_copy(common.pipeline, source, target, common.actor) as copying:
        done = copying.copy()
    if common.json:
        print_json(done.document())
        return
    print_text(f"{done.facts} facts in {done.target}, {done.copied} of them new, head {done.head}")
    print_text("both chains are intact and equal; use the copy from now on: set PROMOTER_LEDGER, or `ledger:` in the file")
