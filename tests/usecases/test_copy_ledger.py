"""Moving a ledger to another store: every line unchanged, both sides checked, repeatable, never over other facts."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of
from promoter.ledger.ledger import Ledger
from promoter.ledger.store import LedgerStore, never_gone
from promoter.ledger.testing import write
from promoter.model.errors import CallerError, LeaseHeld, LedgerBroken, LedgerError
from promoter.usecases import copy_ledger
from promoter.usecases.copy_ledger import Copied, Copying
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedger


class OtherLedger(MemoryLedger):
    def __init__(self, name: str = "elsewhere") -> None:
        super().__init__()
        self.location = name


def copy(source: LedgerStore, target: LedgerStore, directory: Path | None = None) -> Copied:
    def ledger(store: LedgerStore) -> Ledger:
        return Ledger(store, FakeClock(), "ana@example.com", FileWitness(directory, store.location) if directory else None)

    return Copying("shop", ledger(source), ledger(target), FakeClock(), never_gone).copy()


@pytest.fixture
def source() -> MemoryLedger:
    store = MemoryLedger()
    write(store, 25)
    return store


def test_every_line_is_as_it_was_and_the_copy_is_written_on(source, tmp_path, monkeypatch):
    monkeypatch.setattr(copy_ledger, "BATCH", 10)
    target = SqliteLedger(tmp_path / "copy.db")
    done = copy(source, target, tmp_path)
    assert list(target.lines()) == source.kept
    assert (done.facts, done.copied, done.head) == (25, 25, head_of(list(source.read())[-1]).digest)
    assert FileWitness(tmp_path, target.location).seen() == LedgerHead(25, done.head)
    assert write(target, 1)[0].seq == 26


def test_given_again_it_copies_what_is_new_and_no_more(source):
    target = OtherLedger()
    copy(source, target)
    assert copy(source, target).copied == 0
    write(source, 3)
    assert (copy(source, target).copied, target.kept) == (3, source.kept)


def test_an_interrupted_copy_leaves_a_prefix_and_continues(source, monkeypatch):
    monkeypatch.setattr(copy_ledger, "BATCH", 10)

    class Short(OtherLedger):
        free_batches = 2

        def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
            if self.free_batches == 0:
                raise LedgerError("no space left")
            self.free_batches -= 1
            super().restore(facts, head)

    target = Short()
    with pytest.raises(LedgerError, match="no space left"):
        copy(source, target)
    assert target.kept == source.kept[:20]
    target.free_batches = 9
    assert (copy(source, target).copied, target.kept) == (5, source.kept)


def test_facts_that_come_meanwhile_are_copied_too(source, monkeypatch):
    class Busy(OtherLedger):
        def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
            super().restore(facts, head)
            if len(source.kept) == 25:
                write(source, 1)

    target = Busy()
    assert copy(source, target).facts == 26
    assert target.kept == source.kept


@pytest.mark.parametrize("case", ["longer", "other"])
def test_a_target_that_is_no_copy_is_not_changed(source, case):
    target = OtherLedger()
    if case == "longer":
        copy(source, target)
        write(target, 1)
    else:
        write(target, 2, "eve@example.com")
    before = list(target.kept)
    with pytest.raises(
        CallerError, match="holds fact 26, which the source does not have" if case == "longer" else "which differs in the source"
    ):
        copy(source, target)
    assert target.kept == before


@pytest.mark.parametrize("side", ["source", "target"])
def test_nothing_is_copied_during_a_promotion(source, side):
    target = OtherLedger()
    held = source if side == "source" else target
    lease = held.acquire("prod", "run 1", timedelta(minutes=1), FakeClock().now())
    with pytest.raises(LeaseHeld):
        copy(source, target)
    assert target.kept == []
    held.release(lease)
    assert copy(source, target).copied == 25


def test_a_copy_during_a_promotion_raises_lease_held(source):
    class Late(OtherLedger):
        def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
            super().restore(facts, head)
            source.acquire("prod", "run 1", timedelta(minutes=1), FakeClock().now())

    with pytest.raises(LeaseHeld, match="run 1"):
        copy(source, Late())


def test_a_broken_ledger_is_not_copied(source):
    source.kept[11] = source.kept[11].replace(b"ana", b"eve")
    target = OtherLedger()
    with pytest.raises(LedgerBroken, match="fact 13 must name"):
        copy(source, target)
    assert target.kept == []


def test_a_ledger_from_which_facts_were_taken_is_not_copied(source, tmp_path):
    FileWitness(tmp_path, source.location).note(LedgerHead(30, "sha256:" + "1" * 64))
    with pytest.raises(LedgerError, match="this machine has seen 30 facts"):
        copy(source, OtherLedger(), tmp_path)


def test_a_copy_that_misses_facts_raises_an_error(source):
    class Forgetful(OtherLedger):
        def restore(self, facts: Sequence[Fact], head: LedgerHead) -> None:
            super().restore(facts[:-1], head)

    target = Forgetful()
    with pytest.raises(LedgerError, match="ends with fact 24"):
        copy(source, target)


def test_empty_same_and_foreign_ledgers_are_refused(source):
    with pytest.raises(CallerError, match="holds no facts"):
        copy(OtherLedger(), source)
    with pytest.raises(CallerError, match="is both source and target"):
        copy(source, source)
    foreign = OtherLedger()
    head = LedgerHead()
    body = {"pipeline": "blog", "content": {"images": {}, "source": {}}, "salt": "00"}
    foreign.append(FactDraft(Kind.RELEASED, "ana@example.com", None, "a" * 64, body), head, FakeClock().now())
    with pytest.raises(CallerError, match="belongs to pipeline blog, not to shop"):
        copy(foreign, OtherLedger("third"))
