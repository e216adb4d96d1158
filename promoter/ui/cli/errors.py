"""Error output of a command: text for people, JSON with `--json`."""

import os
from collections.abc import Sequence
from io import StringIO

import typer

from promoter.model.errors import InvalidFile, PromoterError
from promoter.ui.cli.ci.session import current
from promoter.ui.cli.console import complain, print_json

_DECISIONS = {4: "refused", 5: "locked"}


def explain(error: Exception, argv: Sequence[str]) -> int:
    """Report the error and return the exit code."""
    as_json = "--json" in argv[: argv.index("--")] if "--" in argv else "--json" in argv  # after `--` are words of `exec`
    if isinstance(error, typer.Abort):
        error = PromoterError("aborted: no answer was given; nothing was recorded", hint="answer y or n, or use --yes")
    if isinstance(error, PromoterError):
        return _known(error, as_json)
    if isinstance(error, typer.TyperException):
        return _usage(error, as_json)
    return _unforeseen(error, as_json)


def _known(error: PromoterError, as_json: bool) -> int:
    if isinstance(error, InvalidFile):
        complain(str(error))
    else:
        complain(f"promoter: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
    _answer(error, document(error), as_json)
    _trace(error)
    return error.exit_code


def _answer(error: Exception, answer: dict[str, object], as_json: bool) -> None:
    """Write the JSON document if requested, and report to the CI."""
    if as_json:
        print_json(answer)
    current().failed(error, answer)


def document(error: PromoterError) -> dict[str, object]:
    """Return the JSON form of an error."""
    answer: dict[str, object] = {"message": error.message, "hint": error.hint}
    if isinstance(error, InvalidFile):
        answer["complaints"] = [
            {"file": c.file, "line": c.line, "column": c.column, "message": c.message, "hint": c.hint} for c in error.complaints
        ]
    code = str(error.reason_code) if error.reason_code else None
    return {"decision": _DECISIONS.get(error.exit_code, "failed"), "reason_code": code, "error": answer}


def _usage(error: typer.TyperException, as_json: bool) -> int:
    show = getattr(error, "show", None)
    if show is not None:
        shown = StringIO()
        show(file=shown)
        complain(shown.getvalue().removesuffix("\n"))
    else:
        complain(f"promoter: {error.format_message()}")
    usage = {"message": error.format_message(), "hint": "promoter --help"}
    _answer(error, {"decision": "failed", "reason_code": None, "error": usage}, as_json)
    return error.exit_code


def _unforeseen(error: Exception, as_json: bool) -> int:
    message = f"internal error: {type(error).__name__}: {_one_line(error)}"
    hint = "run the command again with PROMOTER_DEBUG=1 and report its output"
    complain(f"promoter: {message}\n  {hint}")
    _answer(error, {"decision": "failed", "reason_code": None, "error": {"message": message, "hint": hint}}, as_json)
    _trace(error)
    return 1


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _trace(error: Exception) -> None:
    if os.environ.get("PROMOTER_DEBUG") == "1":
        import traceback

        complain("".join(traceback.format_exception(error)))
