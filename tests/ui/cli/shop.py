"""A ledger with facts for the command line's tests: the one that an early version wrote."""

from pathlib import Path

from promoter.ledger.chain import Fact, Kind, LedgerHead, check_chain
from promoter.ledger.store import LedgerStore

_LINES = (Path(__file__).parents[2] / "fixtures/ledger-1.jsonl").read_bytes().splitlines()
FACTS = [fact for fact in check_chain(_LINES) if isinstance(fact, Fact)]
RELEASES = [str(fact.release) for fact in FACTS if fact.kind == Kind.RELEASED]
"""In the order in which they were made."""


def seed(ledger: LedgerStore) -> None:
    ledger.restore(FACTS, LedgerHead())
    ledger.close()
