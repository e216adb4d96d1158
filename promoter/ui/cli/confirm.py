"""Asks for a confirmation."""

import sys

import typer

from promoter.model.errors import CallerError


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise CallerError(
            "cannot ask for confirmation: standard input is not a terminal", hint="check what is shown above, then use --yes"
        )
    return typer.confirm(question, err=True)
