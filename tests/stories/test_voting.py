"""What an approver is shown: the current case, without engine, registry or secrets."""

from datetime import timedelta

from promoter.gates.approval.rule import Approval
from promoter.gates.soak import Soak
from promoter.model.verdict import Outcome, ReasonCode
from promoter.ui.reports.approval_request import case as as_text
from promoter.ui.reports.view import View
from tests.documents import value_at
from tests.harness import Harness


def test_the_case_shows_the_current_state_of_every_gate() -> None:
    soak = Soak.model_validate({"in": "test", "for": "1h"})
    shop = Harness(gates={"prod": (soak, Approval(min=2))})
    shop.run()
    output = shop.api().case("prod", None)
    assert [one.verdict.code for one in output.gates] == [ReasonCode.SOAKING, ReasonCode.APPROVALS_MISSING]
    shop.clock.advance(timedelta(hours=1))
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", "seen")
    output = shop.api().case("prod", None)
    assert [one.verdict.outcome for one in output.gates] == [Outcome.PASSED, Outcome.WAITING]
    text = as_text(output, View(shop.clock.now()), brief=True)
    assert "gates\n    ✓ soak in test for 1h: has run in test since" in text
    assert "1 of 2 approvals (by ben@example.com)" in text
    assert "approved by ben@example.com (asserted), 0 s ago: seen" in text
    assert "rollback      to nothing: this is the first release there" in text
    assert value_at(output.document(), "gates", 1, "reason_code") == "approvals_missing"


def test_the_case_names_the_release_that_a_rollback_returns_to() -> None:
    shop = Harness()
    shop.run()
    earlier = shop.release()
    shop.gates = {"prod": (Approval(),)}
    shop.newer("two")
    shop.run()
    output = shop.api().case("prod", None)
    assert f"rollback      returns to {earlier.short_id[:7]}" in as_text(output, View(shop.clock.now()), brief=True)
    assert output.document()["rollback_to"] == earlier.id
