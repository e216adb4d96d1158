"""The soak gate."""

from datetime import UTC, datetime, timedelta

from promoter.gates.context import GateContext, Stay
from promoter.gates.soak import Soak, evaluate_soak
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, ReasonCode

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RELEASE = Release({}, Source("c" * 40))
GATE = Soak.model_validate({"in": "test", "for": "4h"})


def case(stay: Stay | None) -> GateContext:
    return GateContext("prod", RELEASE, "p", "q", None, "a", NOW, stays={"test": stay} if stay else {})


def test_it_opens_at_the_end_of_the_stay_and_not_before() -> None:
    early = evaluate_soak(GATE, case(Stay(RELEASE.id, NOW - timedelta(hours=4) + timedelta(seconds=1))))
    assert (early.outcome, early.code, early.opens_at) == (Outcome.WAITING, ReasonCode.SOAKING, NOW + timedelta(seconds=1))
    assert evaluate_soak(GATE, case(Stay(RELEASE.id, NOW - timedelta(hours=4)))).outcome is Outcome.PASSED


def test_another_release_or_none_does_not_soak_for_this_one() -> None:
    long_ago = NOW - timedelta(days=9)
    for stay in (None, Stay("another", long_ago)):
        assert evaluate_soak(GATE, case(stay)).code is ReasonCode.SOAKING


def test_the_sentence_names_the_running_release_and_its_soak_time() -> None:
    soaking = evaluate_soak(GATE, case(Stay(RELEASE.id, NOW - timedelta(hours=1, minutes=30)))).sentence
    assert soaking == "soaks in test until 2026-03-02 14:30:00 UTC: 1h30m of 4h so far"
    another = evaluate_soak(GATE, case(Stay("another-release", NOW - timedelta(days=1)))).sentence
    assert "is not deployed in test; release another-rele has run there since 2026-03-01 12:00:00 UTC" in another
    assert RELEASE.short_id in another
    assert "must run in test for 4h; no verified release runs there" in evaluate_soak(GATE, case(None)).sentence
