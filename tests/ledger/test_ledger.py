import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from promoter.ledger.chain import Fact, Kind, check_chain, head_of
from promoter.ledger.facts import Pinned
from promoter.ledger.ledger import Ledger
from promoter.ledger.state import EMPTY, State
from promoter.model.errors import LedgerError, Refused
from promoter.model.verdict import ReasonCode
from tests.fakes.clock import START, FakeClock
from tests.fakes.ledger import MemoryLedger
from tests.ledger.forged import Forged


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def journal(ledger) -> Ledger:
    return Ledger(ledger, FakeClock(), "ana@example.com")


@pytest.fixture
def other(ledger) -> Ledger:
    """Another process at the same ledger."""
    return Ledger(ledger, FakeClock(), "ben@example.com")


def pin(journal: Ledger, reason: str, **more) -> Fact:
    return journal.append(Pinned(reason=reason), "prod", **more)


def test_a_new_journal_knows_nothing(journal, ledger):
    assert journal.state is EMPTY or journal.state == EMPTY
    assert ledger.kept == []


def test_what_is_recorded_is_known_at_once(journal, ledger):
    fact = pin(journal, "demo")
    assert (fact.seq, fact.actor, fact.at, fact.environment, fact.body) == (
        1,
        "ana@example.com",
        START,
        "prod",
        {"reason": "demo"},
    )
    assert journal.state.environment("prod").pinned.reason == "demo"
    assert journal.state.head == head_of(fact)
    assert list(ledger.read()) == [fact]


def test_the_first_look_reads_what_was_there(journal, other):
    pin(other, "before us")
    assert journal.state.environment("prod").pinned.actor == "ben@example.com"


def test_what_others_write_is_seen_after_a_refresh(journal, other):
    assert journal.state == EMPTY
    pin(other, "demo")
    assert journal.state == EMPTY
    assert journal.refresh() == journal.state == other.state


def test_who_was_overtaken_reads_first_and_writes_then(journal, other, ledger):
    pin(journal, "one")
    pin(other, "two")
    assert pin(journal, "three").seq == 3
    assert [fact.actor for fact in ledger.read()] == ["ana@example.com", "ben@example.com", "ana@example.com"]


def test_a_guard_judges_again_what_changed_in_between(journal, other, ledger):
    seen: list[State] = []

    def guard(state: State) -> None:
        seen.append(state)
        if len(seen) == 1:
            pin(other, "stop")
        if state.environment("prod").pinned is not None:
            raise Refused("prod is pinned", ReasonCode.PINNED)

    with pytest.raises(Refused):
        pin(journal, "mine", guard=guard)
    assert [state.head.seq for state in seen] == [0, 1]
    assert [fact.actor for fact in ledger.read()] == ["ben@example.com"]


def test_a_payload_may_depend_on_the_state_that_it_follows(journal):
    pin(journal, "one")
    fact = journal.append(lambda state: Pinned(reason=f"after {state.head.seq}"), "prod")
    assert fact.body == {"reason": "after 1"}


def test_threads_share_a_journal(journal, other, ledger):
    with ThreadPoolExecutor(8) as pool:
        writers = [journal, other] * 40
        list(pool.map(lambda numbered: pin(numbered[1], f"{numbered[0]}"), enumerate(writers)))
    facts = list(check_chain(ledger.lines()))
    assert sorted(int(str(fact.body["reason"])) for fact in facts if isinstance(fact, Fact)) == list(range(80))
    assert journal.refresh() == other.refresh()


def test_threads_of_one_journal_take_turns(journal):
    """So a guard's judgement holds until its fact is written, unless another process comes between."""
    judged: list[State] = []
    second = threading.Thread(target=pin, args=(journal, "second"))

    def guard(state: State) -> None:
        judged.append(state)
        if len(judged) == 1:
            second.start()
            second.join(0.05)

    assert pin(journal, "first", guard=guard).seq == 1
    second.join()
    assert [state.head.seq for state in judged] == [0]
    assert journal.state.head.seq == 2


def test_what_could_not_be_read_back_is_not_written(journal, ledger):
    with pytest.raises(LedgerError):
        journal.append(Forged(kind=Kind.PROMOTED, said={"plan_digest": "p"}), "prod", "a" * 64)
    assert ledger.kept == []
    assert pin(journal, "fine").seq == 1


def test_a_ledger_that_was_cut_is_an_error_and_not_an_endless_loop(journal, ledger):
    pin(journal, "one")
    pin(journal, "two")
    del ledger.kept[1:]
    with pytest.raises(LedgerError) as error:
        pin(journal, "three")
    assert "taken away" in error.value.message


def test_a_ledger_that_was_rewritten_is_an_error(journal, ledger):
    pin(journal, "one")
    another = MemoryLedger()
    for reason in ("ONE", "two"):
        pin(Ledger(another, FakeClock(), "eve@example.com"), reason)
    ledger.kept = another.kept
    with pytest.raises(LedgerError) as error:
        journal.refresh()
    assert "is broken: fact" in error.value.message
