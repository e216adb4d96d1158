"""`promoter history`, `show`, `diff`, `logs`: the past, as plain text."""

from collections.abc import Mapping, Sequence

from promoter.model.facts import Fact, Kind
from promoter.reports.matrix import when
from promoter.reports.sentences import clean
from promoter.reports.table import table

_TELLING = ("reason", "comment", "reason_code", "reasons", "step")


def history(facts: Sequence[Fact]) -> str:
    """A line a fact, oldest first."""
    if not facts:
        return "nothing has happened yet"
    rows = [("SEQ", "AT", "KIND", "ENVIRONMENT", "RELEASE", "BY", "")]
    return table(rows + [_row(fact) for fact in facts])


def _row(fact: Fact) -> tuple[str, ...]:
    release = (fact.release or "-")[:12]
    return (str(fact.seq), when(fact.at), str(fact.kind), fact.environment or "-", release, clean(fact.actor), _said(fact))


def _said(fact: Fact) -> str:
    words = [_text(fact.body[key]) for key in _TELLING if fact.body.get(key)]
    if fact.kind is Kind.PROMOTED and fact.body.get("gap_ms") is not None:
        words.append(f"gap {fact.body['gap_ms']}ms")
    line = clean(": ".join(words))
    return line if len(line) <= 100 else f"{line[:99]}…"


def _text(value: object) -> str:
    return "; ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)


def outline(document: Mapping[str, object], indent: str = "") -> str:
    """A document as indented lines, for reports whose depth a table cannot hold."""
    return "\n".join(line for key, value in document.items() for line in _lines(key, value, indent))


def _lines(key: str, value: object, indent: str) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [f"{indent}{key}:", outline(value, indent + "  ")]
    if isinstance(value, (list, tuple)) and value:
        return [f"{indent}{key}:", *(f"{indent}  - {_item(item)}" for item in value)]
    return [f"{indent}{key}: {_item(value)}"]


def _item(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_item(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, (list, tuple)):
        return " ".join(_item(item) for item in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return clean(str(value))
