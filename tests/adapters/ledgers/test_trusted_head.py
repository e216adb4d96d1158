"""The witness: what was read here is not forgotten, and a ledger that loses facts is noticed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.ledger.chain import FactDraft, Kind, LedgerHead, head_of, read_line
from promoter.ledger.facts import Pinned
from promoter.ledger.ledger import Ledger
from promoter.model.errors import LedgerError
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedger


def ledger(store: MemoryLedger, directory: Path) -> Ledger:
    return Ledger(store, FakeClock(), "ann@example.com", FileWitness(directory, store.location))


def pins(store: MemoryLedger, directory: Path, count: int) -> None:
    for number in range(count):
        ledger(store, directory).append(Pinned(reason=f"number {number}"), "prod")


def test_it_remembers_the_last_fact_of_each_ledger(tmp_path):
    one, two = FileWitness(tmp_path, "one"), FileWitness(tmp_path, "two")
    assert one.seen() is None
    one.note(LedgerHead(3, "sha256:a"))
    two.note(LedgerHead(5, "sha256:b"))
    assert (one.seen(), two.seen()) == (LedgerHead(3, "sha256:a"), LedgerHead(5, "sha256:b"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"memory": 3}', '{"memory": {"seq": "x"}}'])
def test_an_invalid_file_is_read_as_none(tmp_path, text):
    (tmp_path / "witness.json").write_text(text)
    assert FileWitness(tmp_path, "memory").seen() is None


def test_a_directory_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").touch()
    FileWitness(tmp_path / "file" / "below", "memory").note(LedgerHead(1, "sha256:a"))
    assert FileWitness(tmp_path / "file" / "below", "memory").seen() is None


def test_a_ledger_that_goes_on_is_read_on(tmp_path):
    store = MemoryLedger()
    pins(store, tmp_path, 3)
    assert ledger(store, tmp_path).state.head.seq == 3


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_tail_that_was_cut_off_is_noticed(tmp_path, left):
    store = MemoryLedger()
    pins(store, tmp_path, 3)
    del store.kept[left:]
    with pytest.raises(LedgerError, match=rf"ends with fact {left}, but this machine has seen 3 facts"):
        ledger(store, tmp_path).refresh()


def test_another_history_of_the_same_length_is_noticed(tmp_path):
    store = MemoryLedger()
    pins(store, tmp_path, 3)
    store.kept.pop()
    head, now = head_of(read_line(store.kept[-1])), FakeClock().now()
    fact = store.append(FactDraft(Kind.UNPINNED, "eve@example.com", "prod", None, {"reason": "hush"}), head, now)
    store.append(FactDraft(Kind.UNPINNED, "eve@example.com", "prod", None, {"reason": "hush"}), head_of(fact), now)
    with pytest.raises(LedgerError, match="has another fact 3"):
        ledger(store, tmp_path).refresh()


def test_what_another_machine_wrote_meanwhile_is_no_fault(tmp_path):
    store = MemoryLedger()
    pins(store, tmp_path / "here", 2)
    pins(store, tmp_path / "there", 2)
    assert ledger(store, tmp_path / "here").state.head.seq == 4


def test_the_recorded_head_never_goes_back(tmp_path):
    slow, quick = FileWitness(tmp_path, "one"), FileWitness(tmp_path, "one")
    quick.note(LedgerHead(5, "sha256:b"))
    slow.note(LedgerHead(3, "sha256:a"))
    assert slow.seen() == LedgerHead(5, "sha256:b")


def test_what_another_process_sees_while_the_ledger_is_read_takes_nothing_away(tmp_path):
    """It reads three facts, and meanwhile another process appends a fourth and records it."""
    store = MemoryLedger()
    pins(store, tmp_path, 3)

    class Slow(MemoryLedger):
        def read(self, after=0):
            facts = list(store.read(after))
            pins(store, tmp_path, 1)
            return iter(facts)

    assert ledger(Slow(), tmp_path).refresh().head.seq == 3
    assert FileWitness(tmp_path, store.location).seen().seq == 4


def test_processes_note_side_by_side_and_lose_nothing(tmp_path):
    def note(number):
        for seq in range(1, 40):
            FileWitness(tmp_path, f"ledger {number}").note(LedgerHead(seq, f"sha256:{seq}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(8)))
    assert [FileWitness(tmp_path, f"ledger {number}").seen() for number in range(8)] == [LedgerHead(39, "sha256:39")] * 8
