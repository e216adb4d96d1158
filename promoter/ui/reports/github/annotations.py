"""Annotations of the pipeline file's lines on GitHub."""

from promoter.model.errors import Diagnostic
from promoter.model.pattern import pattern
from promoter.promotion.results import EnvironmentResult, Status
from promoter.ui.reports.github.commands import command, harmless
from promoter.ui.reports.progress_lines import cut_digests
from promoter.ui.reports.summary import next_command

_LEVELS = {
    Status.FAILED: "error",
    Status.REFUSED: "error",
    Status.ROLLED_BACK: "error",
    Status.LOCKED: "error",
    Status.INTERRUPTED: "error",
    Status.PENDING: "notice",
}
_WORD = pattern(r"[^\s:,\[\]{}]+")


def level(environment: EnvironmentResult) -> str | None:
    """Return the level of an environment's annotation; None for no annotation."""
    return _LEVELS.get(environment.status)


def title(environment: EnvironmentResult) -> str:
    return f"{environment.name}: {str(environment.status).replace('_', ' ')} ({environment.code})"


def message(environment: EnvironmentResult) -> str:
    return cut_digests("\n".join(environment.reasons)) or title(environment)


def hint(environment: EnvironmentResult, options: str) -> str | None:
    step = next_command(environment, options)
    return f"next: {step}" if step else None


def annotation(severity: str, complaint: Diagnostic, file: str | None, head: str) -> str:
    """`file` is relative to the checkout; for a file outside of it, the message names the place."""
    text = harmless(complaint.message + (f"\n{complaint.hint}" if complaint.hint else ""))
    if file is None:
        position = complaint.file if complaint.text == "" else f"{complaint.file}:{complaint.line}:{complaint.column}"
        return command(severity, f"{position}: {text}", {"title": head})
    marks = {"line": complaint.line, "col": complaint.column, "endColumn": _end(complaint)}
    return command(severity, text, {"file": file, **marks, "title": head})


def _end(complaint: Diagnostic) -> int:
    """Return the column where the word ends that the problem points at."""
    word = _WORD.match(complaint.text, complaint.column - 1)
    return word.end() + 1 if word else complaint.column + 1
