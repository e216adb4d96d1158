"""Asks for a confirmation."""

import sys

import typer

from promoter.model.errors import CallerError


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise CallerError(
            "nobody is here to be asked: standard input is no terminal", hint="look at the case above, then say --yes"
        )
    return typer.confirm(question, err=True)
