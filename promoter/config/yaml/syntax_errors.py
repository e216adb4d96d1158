"""Syntax errors of libyaml in plain words, with their position."""

import yaml

from promoter.config.yaml.positions import Position, complain
from promoter.model.errors import Diagnostic

MAX_DEPTH = 64
"""Maximum levels of nesting."""
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


def syntax_complaint(text: str, file: str, error: yaml.YAMLError) -> Diagnostic:
    """Turn an error of libyaml into a diagnostic in plain words."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text.encode()[: error.position].decode("utf-8", "replace")
        at = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return complain(file, text, at, f"the control character U+{error.character:04X} is not allowed", "remove it")
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "unreadable"
    at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    lines = text.split("\n")
    if at.line > len(lines) or (at.line == len(lines) and not lines[-1] and len(lines) > 1):
        at = Position(len(lines) - (not lines[-1]), len(lines[-1] or lines[-2]) + 1)
    line = lines[at.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent or line[at.column - 1 : at.column] == "\t":
        column = line.index("\t") + 1
        return complain(file, text, Position(at.line, column), "tabs are not allowed for indentation", "indent with spaces")
    if problem.startswith("exceeded maximum nesting depth"):  # libyaml reads ahead and has its own limit
        return complain(file, text, at, TOO_DEEP)
    context = getattr(error, "context", None)
    context = f" {context}" if context else ""
    start = getattr(error, "context_mark", None)
    if context and start is not None and start.line + 1 != at.line:
        context += f" that begins on line {start.line + 1}"
    return complain(file, text, at, f"invalid YAML: {problem}{context}", _remedy(problem, line, at))


def _remedy(problem: str, line: str, at: Position) -> str | None:
    if "cannot start any token" in problem:
        return f"put quotes around a text that starts with {line[at.column - 1 : at.column]}"
    if "mapping values are not allowed" in problem:
        return "put quotes around a text that holds `: `, or check the indentation"
    if line[at.column - 1 :].startswith("{") or "{{" in line:
        return 'put quotes around a template: "{{ … }}"'
    return None
