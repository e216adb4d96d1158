"""`promoter history`: one line for each promotion and each decision, newest first; with `-v` every fact, oldest first."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promoter.ledger.chain import Fact, Kind
from promoter.ui.reports.progress_lines import clean, seconds
from promoter.ui.reports.view import SHORT, Cell, Style, View

_SHOWN_KEYS = ("reason", "comment", "reason_code", "reasons", "step", "command")
_DECISIONS: dict[Kind, tuple[str, str, Style]] = {
    Kind.REJECTED: ("✗", "rejected", "bad"),
    Kind.OVERRIDDEN: ("!", "overridden", "wait"),
    Kind.ATTESTED: ("✓", "reviewed", ""),
    Kind.VETOED: ("✗", "vetoed", "bad"),
    Kind.PINNED: ("·", "pinned", ""),
    Kind.UNPINNED: ("·", "unpinned", ""),
    Kind.FROZEN: ("·", "frozen", ""),
    Kind.UNFROZEN: ("·", "unfrozen", ""),
    Kind.RELEASED: ("·", "released", ""),
}
_PERSON = 28
"""Columns of a person's name on a terminal."""
_ENDS = (Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK)


def history(facts: Sequence[Fact], view: View, release: str | None = None) -> str:
    """Format the history of an environment, or of all; with a release, only what happened to it."""
    if not facts:
        return "nothing has happened yet"
    lines: list[Sequence[Cell | str]]
    if view.verbose:
        lines = [("SEQ", "AT", "KIND", "ENVIRONMENT", "RELEASE", "BY", "")]
        lines += [_row(fact, view) for fact in facts if release in (None, fact.release)]
    else:
        lines = [("", "AT", "ENV", "WHAT", "RELEASE", "BY", "NOTE")]
        lines += reversed([line for fact, line in _lines(facts, view) if release in (None, fact.release)])
    return "\n".join(view.table(lines, ""))


# ------------------------------------------------------------ one line a promotion
def _lines(facts: Sequence[Fact], view: View) -> Iterator[tuple[Fact, Sequence[Cell | str]]]:
    """Yield a line for the end of each promotion, each decision, and what waits or runs still."""
    votes = {fact.digest: _voter(fact) for fact in facts if fact.kind in (Kind.APPROVED, Kind.OVERRIDDEN)}
    started = {fact.body.get("promotion"): fact for fact in facts if fact.kind is Kind.STARTED}
    used = {vote for fact in started.values() for vote in _votes_of(fact.body)}
    last = {fact.environment: fact for fact in facts if fact.kind in (Kind.REQUESTED, Kind.STARTED, *_ENDS)}
    still_open = {str(name): fact for name, fact in last.items() if fact.kind in (Kind.REQUESTED, Kind.STARTED)}
    ended = {fact.body.get("intent") for fact in facts if fact.kind is Kind.EXECUTED}
    for fact in facts:
        if fact.kind in _ENDS:
            yield fact, _line(fact, *_end(fact, started.get(fact.body.get("promotion")), votes), view)
        elif fact.kind in _DECISIONS:
            yield fact, _line(fact, *_DECISIONS[fact.kind], _why(fact), view)
        elif fact.kind is Kind.EXECUTED and fact.digest not in ended:
            yield fact, _line(fact, *_command(fact), view)
        elif fact.kind is Kind.APPROVED and fact.digest not in used:
            yield fact, _line(fact, "✓", "approved", "", _why(fact), view)
        elif still_open.get(fact.environment or "") is fact:
            if fact.kind is Kind.STARTED:
                yield fact, _line(fact, "…", "started", "wait", "it has not ended, or was interrupted", view)
            elif fact.body.get("reason_code") != "ok":
                yield fact, _line(fact, "⏸", "waits", "wait", _joined(fact.body.get("reasons")), view)


def _end(fact: Fact, start: Fact | None, votes: Mapping[str, str]) -> tuple[str, str, Style, str]:
    """Return the sign, the word, the style and the note of the end of a promotion."""
    body: Mapping[str, Any] = fact.body
    began: Mapping[str, Any] = start.body if start else {}
    if fact.kind is not Kind.PROMOTED:
        word = "failed" if fact.kind is Kind.FAILED else "failed, restored"
        return "✗", word, "bad", f"{body.get('reason_code')}: {_joined(body.get('reasons'))}"
    sign, word = ("↩", "rolled back") if body.get("rollback") else ("⟳", "repaired") if body.get("mend") else ("✓", "deployed")
    notes = []
    if (took := body.get("duration_ms")) is not None:
        notes.append(seconds(took / 1000))
    if gap := body.get("gap_ms"):
        notes.append(f"down {seconds(gap / 1000)}")
    if body.get("reason"):
        notes.append(f'"{body["reason"]}"')
    if people := [votes[one] for one in _votes_of(began) if one in votes]:
        notes.append(f"approved: {', '.join(people)}")
    return sign, word, "good" if sign == "✓" else "wait", " · ".join(notes)


def _command(fact: Fact) -> tuple[str, str, Style, str]:
    """Return the same of a command in a container: of its result, or of its start if no result was recorded."""
    body: Mapping[str, Any] = fact.body
    code = body.get("exit_code")
    note = f"{body.get('service')}: {shlex.join(map(str, body.get('command') or ()))}"
    if code is None:
        why = body.get("reason") or "it has not ended, or promoter was stopped"
        return "…", "executed", "wait", f"{note} · {why}"
    return ("·", "executed", "", note) if code == 0 else ("✗", "executed", "bad", f"{note} · exit code {code}")


def _line(fact: Fact, sign: str, word: str, style: Style, note: str, view: View) -> Sequence[Cell | str]:
    release = (fact.release or "-")[:SHORT]
    where = fact.environment or "-"
    return (
        Cell(sign, style),
        view.at(fact.at),
        where,
        Cell(word, style),
        release,
        view.cut(clean(_voter(fact)), _PERSON),
        clean(note),
    )


def _voter(fact: Fact) -> str:
    """Return whose vote it is. A review on a platform may be imported by someone else."""
    return str(fact.body.get("principal") or fact.actor)


def _votes_of(body: Mapping[str, Any]) -> Sequence[str]:
    """Return the digests of the votes that a start used."""
    return body.get("approvals") or ()


def _why(fact: Fact) -> str:
    text = str(fact.body.get("reason") or fact.body.get("comment") or "")
    return f'"{text}"' if text else ""


# ------------------------------------------------------------ one line a fact
def _row(fact: Fact, view: View) -> tuple[str, ...]:
    release = (fact.release or "-")[:12]
    at = view.moment(fact.at)
    return (str(fact.seq), at, str(fact.kind), fact.environment or "-", release, clean(fact.actor), _detail(fact))


def _detail(fact: Fact) -> str:
    words = [_joined(fact.body[key]) for key in _SHOWN_KEYS if fact.body.get(key) and fact.body[key] != "ok"]
    if fact.kind is Kind.PROMOTED and fact.body.get("gap_ms") is not None:
        words.append(f"downtime {fact.body['gap_ms']}ms")
    if fact.body.get("review"):
        words.insert(0, f"reviewed by {fact.body['principal']}")
    line = clean(": ".join(words))
    return line if len(line) <= 100 else f"{line[:99]}…"


def _joined(value: object) -> str:
    return "; ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
