"""The cache for reading long ledgers equals the state from the facts, however it was made. Nothing depends on it."""

import sqlite3
import tracemalloc
from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.adapters.ledgers.state_cache import Projection
from promoter.adapters.ledgers.state_codec import PARTS
from promoter.gates.approval.rule import Approval
from promoter.gates.checks import ContainerCheck
from promoter.gates.override import Override
from promoter.ledger import ledger as ledger_module
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.facts import Pinned
from promoter.ledger.ledger import Ledger
from promoter.ledger.reducer import fold
from promoter.ledger.state import EnvironmentState, State
from promoter.model.vote import Grade
from promoter.pipeline.model import OnFailure
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Behaviour
from tests.fakes.ledger import MemoryLedger
from tests.harness import Harness

ANN, BEN, EVE = "ann@example.com", "ben@example.com", "eve@example.com"
POLICY = Override.model_validate({"from": ["on-call"], "grade": Grade.ASSERTED})


def busy() -> Harness:
    """Return a pipeline with every kind of fact that a ledger can have."""
    shop = Harness(gates={"prod": (Approval(),)}, roles={"on-call": (ANN, EVE)}, override=POLICY)
    shop.before = (ContainerCheck(service="web", command=("migrate",), reversible=False),)
    shop.run()
    vote(shop, "approve")
    shop.api().promote(None, None, None)
    shop.before = ()
    shop.api(EVE).execute("prod", "web", ["ls"], lambda *_: None)
    shop.newer("two")
    shop.run()
    api = shop.api(EVE)
    api.override(api.case("prod", None), "the shop is down")
    shop.api().promote(None, None, None)
    shop.api(BEN).review("prod", "seen")
    shop.newer("three")
    shop.run()
    vote(shop, "reject")
    shop.engine.crash("shop-test-web")
    shop.run()
    shop.newer("four")
    shop.api().freeze("test", "audit")
    shop.run()
    shop.api().freeze(None, "year end")
    shop.api().unfreeze("test", "over")
    shop.api().unfreeze(None, "over")
    shop.run()
    shop.api().rollback("test", None, "slow")
    shop.api().unpin("test", "fast again")
    shop.engine.behave(shop.newer("five").digest, Behaviour(health="unhealthy"))
    shop.run("dev")
    shop.on_failure = OnFailure.STOP
    shop.engine.behave(shop.newer("six").digest, Behaviour(exit_code=3))
    shop.run("dev")
    shop.api().veto(shop.release().id, "leak")
    return shop


def vote(shop: Harness, decision: str) -> None:
    api = shop.api(BEN)
    api.vote(api.case("prod", None), decision, "seen")


@cache
def facts() -> tuple[Fact, ...]:
    return tuple(busy().store.read())


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "LONG", 1)
    monkeypatch.setattr(ledger_module, "PORTION", 7)


def ledger_of(count: int) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.restore(facts()[:count], LedgerHead())
    return ledger


def glanced(directory: Path, ledger: MemoryLedger) -> State:
    kept = Projection(directory, "here")
    try:
        state = Ledger(ledger, FakeClock(), ANN, kept=kept).glance()
        assert everything(state) == everything(fold(ledger.read()))
    finally:
        kept.close()
    return state


def everything(state: State) -> object:
    """Return each field separately, so that the message shows where a difference is."""
    owners = {"": state, **state.environments}
    return {
        f"{directory}/{part.name}": getattr(owner, part.name).items() if part.is_table else getattr(owner, part.name)
        for directory, owner in owners.items()
        for part in PARTS[type(owner)]
    } | {"head": state.head}


def test_the_scenario_has_every_kind_of_fact_that_is_written_today() -> None:
    assert {fact.kind for fact in facts()} >= set(Kind) - {Kind.DRIFTED}


@given(st.lists(st.integers(1, 200), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_cache_built_in_parts_equals_the_state_of_the_facts(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    directory = tmp_path_factory.mktemp("room")
    for count in sorted(min(cut, len(facts())) for cut in cuts):
        glanced(directory, ledger_of(count))


def test_what_is_asked_of_it_is_answered_as_from_the_facts(tmp_path: Path) -> None:
    shop = busy()
    plain = [answers(shop), *answers(shop)]
    shop.kept = lambda: Projection(tmp_path, "here")
    assert [answers(shop), *answers(shop)] == plain
    assert (tmp_path / next(tmp_path.iterdir()).name).exists()
    with closing(sqlite3.connect(next(tmp_path.glob("projection-*.db")))) as raw:
        assert raw.execute("SELECT seq FROM head").fetchone() == (len(shop.store.kept),)


def answers(shop: Harness) -> list[object]:
    first = next(iter(fold(shop.store.read()).releases))
    return [
        shop.api().status().document(),
        shop.api().plan(None, None).document(),
        shop.api().plan(first[:8], "prod").document(),
        *(shop.api().explain(name, None, None, run_checks=False).document() for name in ("dev", "test", "prod")),
        shop.api().explain("prod", first, None, run_checks=False).document(),
    ]


# ---------------------------------------------------------------- nothing depends on it
def forge(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(next(directory.glob("projection-*.db")))) as raw:
        assert raw.execute(statement).rowcount > 0
        raw.commit()


FORGERIES = {
    "an approval that nobody gave": "UPDATE rows SET value = replace(value, 'ben@', 'eve@') WHERE section = 'prod/votes'",
    "a release that is another": "UPDATE rows SET value = replace(value, 'shop/web', 'evil/web') WHERE section = 'releases'",
    "a veto that is gone": "DELETE FROM rows WHERE section = 'vetoed'",
    "a pin that never was": 'UPDATE head SET state = replace(state, \'"pinned": null\', \'"pinned": {"reason": "x", '
    '"actor": "eve", "at": "2026-11-23T18:20:11Z", "seq": 3}\')',
    "an order that is another": "UPDATE rows SET position = -position",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_command_that_writes_reads_the_facts_and_verify_reports_a_forged_cache(tmp_path: Path, what: str) -> None:
    shop = busy()
    shop.kept = lambda: Projection(tmp_path, "here")
    shop.api().status()
    assert shop.api().ledger_verify().note is None
    forge(tmp_path, FORGERIES[what])
    api = shop.api()
    api.pin("dev", "watched")
    assert everything(api.context.ledger.state) == everything(fold(shop.store.read()))
    report = shop.api().ledger_verify()
    assert (report.problem, "did not match the facts" in (report.note or "")) == (None, True)
    assert shop.api().ledger_verify().note is None
    assert everything(glance_of(shop)) == everything(fold(shop.store.read()))


def glance_of(shop: Harness) -> State:
    return shop.api().context.ledger.glance()


def test_an_append_after_a_read_from_the_cache_reads_every_fact(tmp_path: Path) -> None:
    glanced(tmp_path, ledger_of(40))
    forge(tmp_path, 'UPDATE head SET state = replace(state, \'"salt": "\', \'"salt": "00\')')
    ledger = Ledger(ledger_of(40), FakeClock(), ANN, kept=Projection(tmp_path, "here"))
    forged = ledger.glance()
    true = fold(ledger_of(40).read())
    assert forged.salt != true.salt
    seen: list[State] = []
    ledger.append(Pinned(reason="x"), "dev", guard=seen.append)
    assert seen[0].salt == ledger.state.salt == true.salt


# ---------------------------------------------------------------- an unusable file
@pytest.mark.parametrize("damage", ["garbage", "emptied", "another form", "a value that does not fit", "half"])
def test_what_cannot_be_read_is_made_again(tmp_path: Path, damage: str) -> None:
    glanced(tmp_path, ledger_of(60))
    file = next(tmp_path.glob("projection-*.db"))
    match damage:
        case "garbage":
            file.write_bytes(b"no database at all" * 1000)
        case "emptied":
            file.write_bytes(b"")
        case "half":
            file.write_bytes(file.read_bytes()[:9000])
        case "another form":
            forge(tmp_path, "UPDATE head SET form = 'yesterday'")
        case _:
            forge(tmp_path, 'UPDATE head SET state = \'{"environments": {}, "state": {"salt": 7}}\'')
    glanced(tmp_path, ledger_of(70))
    glanced(tmp_path, ledger_of(75))


def test_a_ledger_that_is_another_one_now_is_read_again(tmp_path: Path) -> None:
    glanced(tmp_path, ledger_of(60))
    other, head = MemoryLedger(), LedgerHead()
    for _ in range(80):
        fact = seal(FactDraft(Kind.PINNED, EVE, "dev", None, {"reason": "mine"}), head, FakeClock().now() + timedelta(days=1))
        other.restore((fact,), head)
        head = head_of(fact)
    glanced(tmp_path, other)
    glanced(tmp_path, ledger_of(30))


def test_a_directory_that_may_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    glanced(tmp_path / "file", ledger_of(40))


def test_what_another_process_continued_meanwhile_stays(tmp_path: Path) -> None:
    glanced(tmp_path, ledger_of(40))
    slow = Projection(tmp_path, "here")
    known = slow.load()
    assert known is not None
    glanced(tmp_path, ledger_of(80))
    assert everything(known) == everything(fold(ledger_of(40).read())), "what is read later is of the same moment"
    slow.save(fold(facts()[40:50], known))
    slow.close()
    with closing(sqlite3.connect(next(tmp_path.glob("projection-*.db")))) as raw:
        assert raw.execute("SELECT seq FROM head").fetchone() == (80,)
    glanced(tmp_path, ledger_of(90))


def test_short_ledgers_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "LONG", len(facts()) + 1)
    glanced(tmp_path, ledger_of(len(facts())))
    assert list(tmp_path.iterdir()) == []


def test_every_field_of_a_state_is_kept() -> None:
    assert {part.name for part in PARTS[State]} == set(State.__dataclass_fields__) - {"head", "environments"}
    assert {part.name for part in PARTS[EnvironmentState]} == set(EnvironmentState.__dataclass_fields__)


def test_to_check_a_longer_ledger_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For facts that each add a row: the cache of 9,000 is three times that of 3,000."""
    monkeypatch.setattr(ledger_module, "PORTION", 500)
    peaks = []
    for count in (3000, 9000):
        directory = tmp_path / str(count)
        store, kept, vetoes, head = (
            SqliteLedger(directory / "facts.db"),
            Projection(directory, "here"),
            list[Fact](),
            LedgerHead(),
        )
        for number in range(count):
            draft = FactDraft(Kind.VETOED, EVE, None, None, {"reason": "leaks", "digests": [f"sha256:{number:064}"]})
            vetoes.append(seal(draft, head, FakeClock().now()))
            head = head_of(vetoes[-1])
        store.restore(vetoes, LedgerHead())
        Ledger(store, FakeClock(), ANN, kept=kept).glance()
        del vetoes
        tracemalloc.start()
        ledger = Ledger(store, FakeClock(), ANN, kept=kept)
        with ledger.rebuilding() as rebuilt:
            for fact in ledger.following(LedgerHead()):
                rebuilt.take(fact)
            assert not rebuilt.differs()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        kept.close()
        store.close()
    assert peaks[1] < peaks[0] * 1.5, peaks
