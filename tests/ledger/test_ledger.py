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
def store() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def ledger(store) -> Ledger:
    return Ledger(store, FakeClock(), "ana@example.com")


@pytest.fixture
def other(store) -> Ledger:
    """Another process with the same ledger."""
    return Ledger(store, FakeClock(), "ben@example.com")


def pin(ledger: Ledger, reason: str, **more) -> Fact:
    return ledger.append(Pinned(reason=reason), "prod", **more)


def test_a_new_ledger_has_no_facts(ledger, store):
    assert ledger.state is EMPTY or ledger.state == EMPTY
    assert store.kept == []


def test_what_is_recorded_is_known_at_once(ledger, store):
    fact = pin(ledger, "demo")
    assert (fact.seq, fact.actor, fact.at, fact.environment, fact.body) == (
        1,
        "ana@example.com",
        START,
        "prod",
        {"reason": "demo"},
    )
    assert ledger.state.environment("prod").pinned.reason == "demo"
    assert ledger.state.head == head_of(fact)
    assert list(store.read()) == [fact]


def test_the_first_read_of_the_state_reads_existing_facts(ledger, other):
    pin(other, "before us")
    assert ledger.state.environment("prod").pinned.actor == "ben@example.com"


def test_what_others_write_is_seen_after_a_refresh(ledger, other):
    assert ledger.state == EMPTY
    pin(other, "demo")
    assert ledger.state == EMPTY
    assert ledger.refresh() == ledger.state == other.state


def test_who_was_overtaken_reads_first_and_writes_then(ledger, other, store):
    pin(ledger, "one")
    pin(other, "two")
    assert pin(ledger, "three").seq == 3
    assert [fact.actor for fact in store.read()] == ["ana@example.com", "ben@example.com", "ana@example.com"]


def test_a_guard_evaluates_again_what_changed_in_between(ledger, other, store):
    seen: list[State] = []

    def guard(state: State) -> None:
        seen.append(state)
        if len(seen) == 1:
            pin(other, "stop")
        if state.environment("prod").pinned is not None:
            raise Refused("prod is pinned", ReasonCode.PINNED)

    with pytest.raises(Refused):
        pin(ledger, "mine", guard=guard)
    assert [state.head.seq for state in seen] == [0, 1]
    assert [fact.actor for fact in store.read()] == ["ben@example.com"]


def test_a_payload_may_depend_on_the_state_that_it_follows(ledger):
    pin(ledger, "one")
    fact = ledger.append(lambda state: Pinned(reason=f"after {state.head.seq}"), "prod")
    assert fact.body == {"reason": "after 1"}


def test_threads_share_a_journal(ledger, other, store):
    with ThreadPoolExecutor(8) as pool:
        writers = [ledger, other] * 40
        list(pool.map(lambda numbered: pin(numbered[1], f"{numbered[0]}"), enumerate(writers)))
    facts = list(check_chain(store.lines()))
    assert sorted(int(str(fact.body["reason"])) for fact in facts if isinstance(fact, Fact)) == list(range(80))
    assert ledger.refresh() == other.refresh()


def test_threads_of_one_ledger_take_turns(ledger):
    """So the result of a guard is valid until its fact is written, unless another process writes in between."""
    evaluated: list[State] = []
    second = threading.Thread(target=pin, args=(ledger, "second"))

    def guard(state: State) -> None:
        evaluated.append(state)
        if len(evaluated) == 1:
            second.start()
            second.join(0.05)

    assert pin(ledger, "first", guard=guard).seq == 1
    second.join()
    assert [state.head.seq for state in evaluated] == [0]
    assert ledger.state.head.seq == 2


def test_what_could_not_be_read_back_is_not_written(ledger, store):
    with pytest.raises(LedgerError):
        ledger.append(Forged(kind=Kind.PROMOTED, fields={"plan_digest": "p"}), "prod", "a" * 64)
    assert store.kept == []
    assert pin(ledger, "fine").seq == 1


def test_a_ledger_that_was_cut_is_an_error_and_not_an_endless_loop(ledger, store):
    pin(ledger, "one")
    pin(ledger, "two")
    del store.kept[1:]
    with pytest.raises(LedgerError) as error:
        pin(ledger, "three")
    assert "has changed at its end: facts were removed or replaced" in error.value.message


def test_a_ledger_that_was_rewritten_is_an_error(ledger, store):
    pin(ledger, "one")
    another = MemoryLedger()
    for reason in ("ONE", "two"):
        pin(Ledger(another, FakeClock(), "eve@example.com"), reason)
    store.kept = another.kept
    with pytest.raises(LedgerError) as error:
        ledger.refresh()
    assert "is broken: fact" in error.value.message
