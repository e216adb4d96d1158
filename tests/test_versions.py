"""Ledgers of other versions: earlier ones are read. What only a newer version knows is refused by name."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import Fact, Kind, LedgerHead, check_chain, read_line
from promoter.ledger.facts import Pinned
from promoter.ledger.ledger import Ledger
from promoter.ledger.reducer import fold
from promoter.ledger.state import State
from promoter.model.canonical_json import canonical
from promoter.model.errors import LedgerBroken, LedgerError
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedger

FIRST = Path(__file__).parent / "fixtures" / "ledger-1.jsonl"
"""A ledger that a version wrote when SQLite was the only store. Never rewrite it: a change that cannot read it is wrong."""
OPTIONAL = {
    "released": ("tags", "salt"),
    "requested": ("supersedes", "policy", "gates", "rollback", "run"),
    "started": ("policy", "lease", "gates", "resumed"),
    "promoted": ("engine", "rollback", "gap_ms", "duration_ms"),
    "failed": ("left", "touched"),
}
"""What facts may leave out (promoter/ledger/state.py), as the first version did."""


def facts() -> list[Fact]:
    found = list(check_chain(FIRST.read_bytes().splitlines()))
    return [fact for fact in found if isinstance(fact, Fact)]


def shown(state: State) -> dict[str, object]:
    return {
        name: (
            entry.current.release[:12] if entry.current else None,
            len(entry.verified.items()),
            entry.request.reason_code if entry.request else None,
            (len(entry.overrides), len(entry.pending_reviews), len(entry.reviews), len(entry.consumed.items())),
            str(entry.last_failure.kind) if entry.last_failure else None,
        )
        for name, entry in state.environments.items()
    }


THEN = {
    "dev": ("770145d7b014", 4, None, (0, 0, 0, 0), "failed"),
    "test": ("54fa328dcfd4", 6, None, (0, 0, 0, 0), None),
    "prod": ("7573fcb51ec8", 2, "approvals_missing", (1, 1, 1, 2), None),
}


def test_an_earlier_ledger_gives_the_same_state_as_then() -> None:
    state = fold(facts())
    assert len(facts()) == len(FIRST.read_bytes().splitlines()) == 98
    assert shown(state) == THEN
    assert (state.pipeline, len(state.releases.items())) == ("shop", 6)
    assert {mark.reason for mark in state.vetoed.values()} == {"leak"}


def test_what_facts_may_leave_out_is_not_missed() -> None:
    lines = []
    for fact in facts():
        body = {key: value for key, value in fact.document().items() if key not in OPTIONAL.get(str(fact.kind), ())}
        lines.append(canonical(body))
    assert shown(fold(read_line(line) for line in lines)) == THEN


def test_an_earlier_ledger_is_written_on() -> None:
    ledger = MemoryLedger()
    ledger.restore(facts(), LedgerHead())
    Ledger(ledger, FakeClock(), "ana@example.com").append(Pinned(reason="x"), "prod")
    assert [fact.seq for fact in check_chain(ledger.lines()) if isinstance(fact, Fact)] == list(range(1, 100))


def test_a_body_with_unknown_keys_is_read() -> None:
    """Except votes: what is signed or used by its digest cannot be rewritten."""
    voted = {Kind.APPROVED, Kind.REJECTED, Kind.OVERRIDDEN, Kind.ATTESTED}
    more = {"tomorrow": {"more": [1, "x"]}}
    lines = [fact.line if fact.kind in voted else canonical({**fact.document(), **more}) for fact in facts()]
    assert shown(fold(read_line(line) for line in lines)) == THEN


def test_a_fact_kind_of_a_newer_version_is_refused_at_any_position() -> None:
    ledger = MemoryLedger()
    ledger.restore(facts(), LedgerHead())
    last = json.loads(ledger.kept[-1])
    ledger.kept[-1] = canonical({**last, "kind": "blessed"})
    with pytest.raises((LedgerError, ValueError), match=r"unknown kind 'blessed': .* newer promoter"):
        Ledger(ledger, FakeClock(), "ana@example.com").refresh()


def test_a_file_with_such_a_fact_names_its_position(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.restore(facts(), LedgerHead())
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as raw:
        raw.execute("DROP TRIGGER facts_stay")
        raw.execute("UPDATE facts SET line = CAST(replace(CAST(line AS TEXT), 'vetoed', 'blessed') AS BLOB) WHERE seq = 98")
        raw.commit()
    with pytest.raises(LedgerBroken, match=r"fact 98: unknown kind 'blessed': .* newer promoter"):
        list(ledger.read())
