"""Impossible facts, by any author: they are named and ignored, and never crash a command."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.consistency import Consistency
from promoter.ledger.ledger import Ledger
from promoter.ledger.reducer import fold
from promoter.model.errors import LeaseLost, LedgerError
from promoter.model.verdict import ReasonCode
from promoter.ui.cli.app import run
from tests.documents import object_at
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedger
from tests.ledger.forged import Forged
from tests.ledger.test_state import RELEASES, A, B, Story
from tests.signed_office import ANA, Office, make_keys, open_office
from tests.ui.cli.shop import FACTS

AT = datetime(2026, 11, 24, tzinfo=UTC)
UNKNOWN = "f" * 64


def forged(facts: list[Fact], kind: Kind, environment: str | None, release: str | None, body: dict[str, object]) -> Fact:
    return seal(FactDraft(kind, "eve@example.com", environment, release, body), head_of(facts[-1]), AT)


def messages_of(facts: list[Fact]) -> list[str]:
    consistency = Consistency()
    found = [why for fact in facts if (why := consistency.take(fact)) is not None]
    assert [line.split()[1] for line in found] == list(fold(facts).impossible)
    return found


# ---------------------------------------------------------------- one at a time
def test_a_correct_ledger_has_none() -> None:
    assert messages_of(list(FACTS)) == []


def test_a_release_with_the_content_of_another_is_reported() -> None:
    story = Story(bare=True)
    story.emit(Kind.RELEASED, release=B, content=RELEASES["a"].content())
    assert messages_of(story.facts) == [f"fact 1 (released) is impossible: its content belongs to release {A[:12]}"]
    assert story.state.newest() is None


@pytest.mark.parametrize(
    "emit",
    [
        lambda story: story.requested(UNKNOWN),
        lambda story: story.requested(A, from_=UNKNOWN),
        lambda story: story.started(UNKNOWN, "one"),
        lambda story: story.voted(UNKNOWN),
        lambda story: story.voted(UNKNOWN, Kind.REJECTED),
        lambda story: story.voted(UNKNOWN, Kind.OVERRIDDEN),
        lambda story: story.voted(UNKNOWN, Kind.ATTESTED, reviews="sha256:0"),
        lambda story: (story.started(A, "one"), story.rolled_back(A, "one", UNKNOWN)),
    ],
)
def test_a_fact_about_an_unknown_release_is_reported(emit: Callable[[Story], object]) -> None:
    story = Story(bare=True)
    story.released("a")
    emit(story)
    assert f"release {UNKNOWN[:12]} was never recorded" in messages_of(story.facts)[0]


@pytest.mark.parametrize(
    "emit",
    [
        lambda story: story.promoted(A, "two"),
        lambda story: story.failed(A, "two"),
        lambda story: story.rolled_back(A, "two", None),
        lambda story: story.step("two", "replace web"),
        lambda story: story.promoted(A, "one", "test"),
        lambda story: story.promoted(B, "one"),
        lambda story: (story.failed(A, "one"), story.promoted(A, "one")),
    ],
)
def test_a_promotion_ends_where_it_began_and_once(emit: Callable[[Story], object]) -> None:
    story = Story(bare=True)
    story.released("a")
    story.released("b")
    story.started(A, "one")
    emit(story)
    (why,) = messages_of(story.facts)
    assert "is not running in" in why or "is for release" in why
    assert story.at("prod").current is None
    assert story.at("test").current is None


def test_promoter_itself_never_writes_one() -> None:
    """A run that lost its lease and does not know it yet."""
    store = MemoryLedger()
    store.restore(FACTS, LedgerHead())
    ledger = Ledger(store, FakeClock(), "ana@example.com")
    body = {"plan_digest": "p", "promotion": "gone", "reason_code": "unhealthy", "reasons": [], "evidence": []}
    with pytest.raises(LeaseLost, match=r"failed is not recorded: promotion gone is not running in prod"):
        ledger.append(Forged(kind=Kind.FAILED, fields=body), "prod", str(FACTS[0].release))
    assert len(store.kept) == len(FACTS)


# ---------------------------------------------------------------- used votes
@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def office(keys: dict[str, Path], tmp_path: Path) -> Office:
    return open_office(keys, tmp_path)


FAILED = {"reason_code": "pull_failed", "reasons": [], "evidence": [], "touched": False}


def test_break_8_a_used_signed_vote_never_counts_again(office: Office, keys: dict[str, Path]) -> None:
    """R2 is approved, promoted, and rolled back. Then a fact claims that the promotion changed nothing."""
    office.vote(keys[ANA])
    assert office.prod()[0] == "deployed"
    office.newer("two")
    office.api("ci@example.com").run(None, None)
    office.vote(keys[ANA])
    assert office.prod()[0] == "deployed"
    second = office.release().id
    start = [fact for fact in office.store.read() if fact.kind is Kind.STARTED and fact.environment == "prod"][-1]
    office.api("ci@example.com").rollback("prod", None, "slow")
    office.api("ci@example.com").unpin("prod", "again")
    assert again(office, second) == ReasonCode.APPROVAL_USED
    body = {**FAILED, "promotion": start.body["promotion"], "plan_digest": start.body["plan_digest"]}
    append(office, Kind.FAILED, second, body)
    assert again(office, second) == ReasonCode.APPROVALS_MISSING, "what was voted before it was asked again is history"
    report = office.api().ledger_verify()
    assert (report.problem, report.ok) == (None, False)
    assert "is not running in prod" in report.impossible[0]


def test_break_8_nor_when_the_fact_comes_right_after_its_start(office: Office, keys: dict[str, Path]) -> None:
    """Then the fact can be true, but this is not certain."""
    fact = office.vote(keys[ANA])
    case = office.api().case("prod", None)
    body = {"plan_digest": case.plan_digest, "promotion": "forged", "approvals": [fact.digest], "mend": False, "from": None}
    append(office, Kind.STARTED, case.release.id, body)
    append(office, Kind.FAILED, case.release.id, {**FAILED, "promotion": "forged", "plan_digest": case.plan_digest})
    assert office.prod()[1] == ReasonCode.APPROVAL_USED


def append(office: Office, kind: Kind, release: str, body: dict[str, object]) -> None:
    facts = list(office.store.read())
    office.store.restore((forged(facts, kind, "prod", release, body),), head_of(facts[-1]))


def again(office: Office, release: str) -> ReasonCode:
    return office.api("ci@example.com").promote(release, "prod", None).environments[-1].code


def test_a_request_that_shows_another_plan_than_it_asks_for_is_not_shown(office: Office) -> None:
    asked = [fact for fact in office.store.read() if fact.kind is Kind.REQUESTED][-1]
    body = {**asked.body, "plan": {**object_at(asked.body, "plan"), "services": {}}}
    append(office, Kind.REQUESTED, str(asked.release), body)
    with pytest.raises(LedgerError, match="contains a plan that does not match its plan digest"):
        office.api().case("prod", None)


# ---------------------------------------------------------------- whole commands
FILE = """\
name: shop
services: {web: {image: registry.example.com/shop/web:1}}
environments: {dev: {}, test: {}, prod: {gates: [{approval: {min: 1}}]}}
"""
COMMANDS = (
    ("status",),
    ("status", "--json"),
    ("history",),
    ("history", "prod", "--json"),
    ("inbox",),
    ("explain", "prod"),
    ("show", UNKNOWN[:9]),
    ("show", str(FACTS[-1].release or FACTS[0].release)[:12]),
    ("diff", "dev", "prod"),
    ("plan",),
    ("approve", "prod", "--yes"),
    ("reject", "prod", "--yes"),
    ("override", "prod", "--reason", "x", "--yes"),
    ("review", "prod", "--yes"),
    ("veto", UNKNOWN[:9], "--reason", "x"),
    ("pin", "prod", "--reason", "x"),
    ("rollback", "prod", "--reason", "x"),
    ("promote",),
    ("logs", str(FACTS[0].release)[:12]),
    ("ledger", "verify"),
    ("ledger", "export"),
)
WHERE = {"plan_digest": "sha256:0", "promotion": "forged"}
FORGERIES: dict[str, tuple[Kind, str | None, str | None, dict[str, object]]] = {
    "promoted": (Kind.PROMOTED, "prod", UNKNOWN, {**WHERE, "services": {}, "mend": False}),
    "rolled back": (Kind.ROLLED_BACK, "prod", UNKNOWN, {**WHERE, "reason_code": "x", "reasons": [], "to": UNKNOWN}),
    "failed": (Kind.FAILED, "prod", UNKNOWN, {**WHERE, **FAILED}),
    "started": (Kind.STARTED, "prod", UNKNOWN, {**WHERE, "approvals": ["x"], "mend": False}),
    "requested": (
        Kind.REQUESTED,
        "prod",
        UNKNOWN,
        {
            "plan_digest": "sha256:0",
            "plan": {"steps": [{}], "services": []},
            "from": UNKNOWN,
            "policy_digest": "x",
            "requested_by": "x",
            "reason_code": "no such code",
            "reasons": ["x"],
        },
    ),
    "requested, of a known release": (
        Kind.REQUESTED,
        "prod",
        FACTS[0].release,
        {
            "plan_digest": "sha256:0",
            "plan": {"steps": [{}], "services": []},
            "from": UNKNOWN,
            "policy_digest": "x",
            "requested_by": "x",
            "reason_code": "no such code",
            "reasons": ["x"],
        },
    ),
    "requested, from nothing": (
        Kind.REQUESTED,
        "prod",
        FACTS[0].release,
        {
            "plan_digest": "sha256:0",
            "plan": {"steps": [{}], "services": []},
            "from": None,
            "policy_digest": "x",
            "requested_by": "x",
            "reason_code": "no such code",
            "reasons": ["x"],
            "gates": [1],
            "rules": {"gates": 1},
            "run": "x",
        },
    ),
    "released": (Kind.RELEASED, None, UNKNOWN, {"content": FACTS[0].body["content"]}),
    "released, with odd tags": (Kind.RELEASED, None, FACTS[0].release, {"tags": {"web": 1}}),
    "overridden": (
        Kind.OVERRIDDEN,
        "prod",
        UNKNOWN,
        {
            "plan_digest": "x",
            "from": None,
            "policy_digest": "x",
            "principal": "x",
            "grade": "signed",
        },
    ),
    "attested": (
        Kind.ATTESTED,
        "prod",
        UNKNOWN,
        {
            "plan_digest": "x",
            "from": None,
            "policy_digest": "x",
            "principal": "x",
            "grade": "signed",
            "reviews": "x",
        },
    ),
    "vetoed": (Kind.VETOED, None, UNKNOWN, {"reason": "x", "digests": ["x"]}),
    "a step": (Kind.STEP_DONE, "prod", UNKNOWN, {"promotion": "forged", "step": "x", "detail": 1}),
    "a body of another kind": (Kind.PROMOTED, "prod", FACTS[0].release, {"services": 3}),
}
NAMED = {
    "promoted",
    "rolled back",
    "failed",
    "started",
    "requested",
    "requested, of a known release",
    "released",
    "overridden",
    "attested",
    "a step",
    "a body of another kind",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORGERIES)
def test_break_18_no_command_ends_in_a_traceback(
    name: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipeline.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setenv("PROMOTER_ACTOR", "ana@example.com")
    monkeypatch.setenv("PROMOTER_LEDGER", "sqlite:ledger.db")
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.restore([*FACTS, forged(FACTS, *FORGERIES[name])], LedgerHead())
    ledger.close()
    answers: dict[tuple[str, ...], Any] = {}
    for argv in COMMANDS:
        code = run(argv)
        out, err = capfdbinary.readouterr()
        answers[argv] = code, out.decode(), err.decode()
        assert code in (0, 1, 2, 3, 4, 5, 6), (argv, answers[argv])
        assert not any(word in answers[argv][2] for word in ("Traceback", "internal error")), (argv, answers[argv])
    code, _, err = answers["ledger", "verify"]
    assert (code, f"fact {len(FACTS) + 1} (" in err) == ((1, True) if name in NAMED else (0, False)), err
