"""Asks for a confirmation."""

import sys
from collections.abc import Callable

import typer

from promoter.model.errors import CallerError


def confirmed(question: str, show_details: Callable[[], None] | None = None) -> bool:
    """Ask a question with the answers yes and no, and with `show_details` also d. Raise CallerError without a terminal."""
    _require_terminal()
    answers = "[y]es, [n]o, [d]etails" if show_details else "[y]es, [n]o"
    while True:
        answer = typer.prompt(f"{question} {answers}", default="n", show_default=False, err=True).strip().lower()
        if answer in ("d", "details") and show_details:
            show_details()
        elif answer in ("y", "yes", "n", "no"):
            return answer in ("y", "yes")


def confirmed_by_name(environment: str, what: str) -> bool:
    """Ask for the name of an environment before a change that no gate stops. Raise CallerError without a terminal."""
    _require_terminal()
    answer = typer.prompt(f"{what}: type {environment} to confirm", default="", show_default=False, err=True)
    return bool(answer.strip() == environment)


def can_ask() -> bool:
    """Return whether a person is at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _require_terminal() -> None:
    if not sys.stdin.isatty():
        raise CallerError(
            "cannot ask for confirmation: standard input is not a terminal", hint="check what is shown above, then use --yes"
        )
