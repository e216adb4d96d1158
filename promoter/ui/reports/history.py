"""`promoter history`: one line for each fact, as plain text."""

from collections.abc import Sequence

from promoter.ledger.chain import Fact, Kind
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.ui.reports.table import table

_SHOWN_KEYS = ("reason", "comment", "reason_code", "reasons", "step")


def history(facts: Sequence[Fact]) -> str:
    """Format one line for each fact, oldest first."""
    if not facts:
        return "nothing has happened yet"
    rows = [("SEQ", "AT", "KIND", "ENVIRONMENT", "RELEASE", "BY", "")]
    return table(rows + [_row(fact) for fact in facts])


def _row(fact: Fact) -> tuple[str, ...]:
    release = (fact.release or "-")[:12]
    return (str(fact.seq), when(fact.at), str(fact.kind), fact.environment or "-", release, clean(fact.actor), _detail(fact))


def _detail(fact: Fact) -> str:
    words = [_text(fact.body[key]) for key in _SHOWN_KEYS if fact.body.get(key) and fact.body[key] != "ok"]
    if fact.kind is Kind.PROMOTED and fact.body.get("gap_ms") is not None:
        words.append(f"gap {fact.body['gap_ms']}ms")
    if fact.body.get("review"):
        words.insert(0, f"reviewed by {fact.body['principal']}")
    line = clean(": ".join(words))
    return line if len(line) <= 100 else f"{line[:99]}…"


def _text(value: object) -> str:
    return "; ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
