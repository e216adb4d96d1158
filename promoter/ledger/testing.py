"""The contract of every ledger store, as pytest tests, also for stores outside this project.

In a test module, write a subclass of `LedgerContract` with a fixture `ledger` that returns a new, empty store:

    class TestMyLedger(LedgerContract):
        @pytest.fixture
        def ledger(self, tmp_path):
            return MyLedger(tmp_path)

It needs pytest, which promoter itself does not need.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, check_chain, head_of, seal
from promoter.ledger.store import Lease, LeaseInfo, LedgerStore
from promoter.model.errors import HeadMoved, LeaseHeld, LeaseLost

NOW = datetime(2026, 11, 23, 18, 20, 11, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def write(ledger: LedgerStore, count: int, actor: str = "ana@example.com") -> list[Fact]:
    head, facts = LedgerHead(), []
    for fact in ledger.read():
        head = head_of(fact)
    for number in range(count):
        facts.append(ledger.append(FactDraft(Kind.STEP_DONE, actor, "dev", body={"number": number}), head, NOW))
        head = head_of(facts[-1])
    return facts


class LedgerContract:
    def test_a_new_one_is_empty(self, ledger: LedgerStore) -> None:
        assert list(ledger.read()) == []
        assert list(ledger.lines()) == []

    def test_facts_come_back_in_order_as_they_were_written(self, ledger: LedgerStore) -> None:
        written = write(ledger, 5)
        assert [fact.seq for fact in written] == [1, 2, 3, 4, 5]
        assert list(ledger.read()) == written
        assert list(ledger.read(3)) == written[3:]
        assert list(ledger.read(5)) == []
        assert written[0].at == NOW

    def test_lines_are_an_unbroken_chain(self, ledger: LedgerStore) -> None:
        written = write(ledger, 5)
        assert list(check_chain(ledger.lines())) == written

    def test_append_to_a_stale_head_raises_and_changes_nothing(self, ledger: LedgerStore) -> None:
        first = write(ledger, 1)[0]
        for stale in (LedgerHead(), LedgerHead(1, "sha256:" + "1" * 64), LedgerHead(2, first.digest)):
            with pytest.raises(HeadMoved):
                ledger.append(FactDraft(Kind.STEP_DONE, "ben@example.com"), stale, NOW)
        assert list(ledger.read()) == [first]

    def test_facts_of_another_ledger_are_restored_as_they_were(self, ledger: LedgerStore) -> None:
        facts, head = [], LedgerHead()
        for number in range(250):
            facts.append(seal(FactDraft(Kind.STEP_DONE, "ana@example.com", "dev", body={"number": number}), head, NOW))
            head = head_of(facts[-1])
        ledger.restore(facts[:3], LedgerHead())
        ledger.restore(facts[3:], head_of(facts[2]))
        assert list(ledger.read()) == facts
        assert list(ledger.lines()) == [fact.line for fact in facts]
        with pytest.raises(HeadMoved):
            ledger.restore(facts[3:5], head_of(facts[2]))
        assert write(ledger, 1)[0].seq == 251

    def test_threads_share_it(self, ledger: LedgerStore) -> None:
        def work(name: str) -> None:
            done = 0
            while done < 10:
                head = LedgerHead()
                for fact in ledger.read():
                    head = head_of(fact)
                try:
                    ledger.append(FactDraft(Kind.STEP_DONE, name, body={"n": done}), head, NOW)
                except HeadMoved:
                    continue
                done += 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, ["a", "b", "c", "d"]))
        facts = list(check_chain(ledger.lines()))
        assert len(facts) == 40
        for name in "abcd":
            assert [f.body["n"] for f in facts if isinstance(f, Fact) and f.actor == name] == list(range(10))

    def test_a_lease_is_for_one_owner_at_a_time(self, ledger: LedgerStore) -> None:
        lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
        assert lease == Lease("prod", "run 1", 1, None)
        with pytest.raises(LeaseHeld) as held:
            ledger.acquire("prod", "run 2", MINUTE, NOW + timedelta(seconds=59))
        assert held.value.owner == "run 1"
        assert ledger.acquire("test", "run 2", MINUTE, NOW).token == 1

    def test_of_many_that_want_a_lease_one_gets_it(self, ledger: LedgerStore) -> None:
        def want(owner: str) -> bool:
            try:
                ledger.acquire("prod", owner, MINUTE, NOW)
            except LeaseHeld:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(want, [f"run {n}" for n in range(8)])) == 1

    def test_a_heartbeat_keeps_a_lease_alive(self, ledger: LedgerStore) -> None:
        lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
        ledger.renew(lease, MINUTE, NOW + timedelta(seconds=50))
        with pytest.raises(LeaseHeld):
            ledger.acquire("prod", "run 2", MINUTE, NOW + timedelta(seconds=100))

    def test_a_stale_lease_is_taken_over_and_its_owner_named(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("prod", "run 1", MINUTE, NOW)
        second = ledger.acquire("prod", "run 2", MINUTE, NOW + MINUTE)
        assert second.took_over == "run 1"
        assert second.token > first.token
        with pytest.raises(LeaseLost):
            ledger.renew(first, MINUTE, NOW + MINUTE)
        ledger.renew(second, MINUTE, NOW + MINUTE)

    def test_who_lost_a_lease_cannot_give_it_away(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("prod", "run 1", MINUTE, NOW)
        ledger.acquire("prod", "run 2", MINUTE, NOW + MINUTE)
        ledger.release(first)
        with pytest.raises(LeaseHeld):
            ledger.acquire("prod", "run 3", MINUTE, NOW + MINUTE)

    def test_a_lease_given_back_is_free_and_its_token_is_never_used_again(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("prod", "run 1", MINUTE, NOW)
        ledger.release(first)
        ledger.release(first)
        with pytest.raises(LeaseLost):
            ledger.renew(first, MINUTE, NOW)
        second = ledger.acquire("prod", "run 2", MINUTE, NOW)
        assert (second.took_over, second.token) == (None, 2)

    def test_an_old_token_of_the_same_owner_is_worth_nothing(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("prod", "run 1", MINUTE, NOW)
        second = ledger.acquire("prod", "run 1", MINUTE, NOW)
        assert (second.token, second.took_over) == (2, None)
        with pytest.raises(LeaseLost):
            ledger.renew(first, MINUTE, NOW)

    def test_the_lease_of_an_owner_who_is_gone_is_taken_over_at_once(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("dev", "ana", timedelta(minutes=1), NOW)
        with pytest.raises(LeaseHeld):
            ledger.acquire("dev", "ben", timedelta(minutes=1), NOW, lambda owner: owner != "ana")
        second = ledger.acquire("dev", "ben", timedelta(minutes=1), NOW, lambda owner: owner == "ana")
        assert (second.took_over, second.token > first.token) == ("ana", True)

    def test_a_lease_of_a_clock_that_is_far_ahead_is_taken_over(self, ledger: LedgerStore) -> None:
        first = ledger.acquire("prod", "run 1", MINUTE, NOW + timedelta(days=365))
        second = ledger.acquire("prod", "run 2", MINUTE, NOW)
        assert (second.took_over, second.token > first.token) == ("run 1", True)

    def test_a_clock_that_went_back_orders_nothing(self, ledger: LedgerStore) -> None:
        first = write(ledger, 1)[0]
        second = ledger.append(FactDraft(Kind.STEP_DONE, "ana@example.com"), head_of(first), NOW - timedelta(days=1))
        assert list(ledger.read()) == [first, second]
        lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
        ledger.renew(lease, MINUTE, NOW - timedelta(seconds=30))
        assert ledger.held()[0].expires == NOW + timedelta(seconds=30)

    def test_who_holds_what_since_when_and_until_when(self, ledger: LedgerStore) -> None:
        assert ledger.held() == ()
        late = NOW + timedelta(seconds=50)
        ledger.acquire("test", "run 2", MINUTE, late)
        lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
        ledger.renew(lease, MINUTE, late)
        prod, test = LeaseInfo("prod", "run 1", 1, NOW, late + MINUTE), LeaseInfo("test", "run 2", 1, late, late + MINUTE)
        assert ledger.held() == (prod, test)
        ledger.release(lease)
        assert ledger.held() == (test,)
