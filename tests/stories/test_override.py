"""Overrides: past the gates in an emergency, visibly, once, and with a review by a second person afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.override import Override
from promoter.gates.window.rule import Window
from promoter.ledger.chain import Kind
from promoter.ledger.facts import Frozen, Vetoed
from promoter.model.errors import CallerError, Refused
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.ui.reports.status import matrix
from promoter.ui.reports.view import View
from tests.harness import Harness, statuses

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
POLICY = Override.model_validate({"from": ["on-call"], "grade": Grade.ASSERTED})


def shop(**more: Any) -> Harness:
    """Prod waits: it is gated by an approval and by a window that is never open."""
    gates = {"prod": (Approval(min=2), Window(freeze=({"from": "2020-01-01", "to": "2099-01-01"},)))}
    made = Harness(gates=gates, roles={"on-call": (ANA, EVE)}, override=POLICY, **more)
    made.run()
    return made


def override(shop: Harness, actor: str = ANA, reason: str = "checkout is down") -> None:
    api = shop.api(actor)
    api.override(api.case("prod", None), reason)


def prod(shop: Harness) -> tuple[str, ReasonCode, str]:
    result = shop.api("ci@example.com").promote(None, "prod", None).environments[-1]
    return str(result.status), result.code, "; ".join(result.reasons)


def test_an_override_passes_every_gate_and_is_shown_in_all_reports() -> None:
    harness = shop()
    override(harness)
    status, code, output = prod(harness)
    assert (status, code) == ("deployed", ReasonCode.OVERRIDDEN)
    assert f"{ANA}: checkout is down" in output
    assert harness.kinds("prod") == ["requested", "overridden", "started", "promoted"]
    fact = next(f for f in harness.store.read() if f.kind is Kind.OVERRIDDEN)
    started = [f for f in harness.store.read() if f.kind is Kind.STARTED][-1]
    assert started.body["approvals"] == [fact.digest]


def test_without_an_override_policy_overrides_are_refused() -> None:
    harness = shop()
    harness.override = None
    with pytest.raises(CallerError, match="overrides are not allowed"):
        override(harness)


def test_only_the_people_whom_the_file_names_override() -> None:
    with pytest.raises(Refused) as refused:
        override(shop(), BEN)
    assert refused.value.reason_code is ReasonCode.ROLE_MISSING


def test_as_many_as_the_policy_asks_for() -> None:
    harness = shop()
    harness.override = POLICY.model_copy(update={"min": 2})
    prod(harness)
    override(harness)
    assert prod(harness)[0] != "deployed"
    override(harness, EVE)
    assert prod(harness)[:2] == ("deployed", ReasonCode.OVERRIDDEN)


def test_an_override_counts_once_and_for_one_plan() -> None:
    harness = shop()
    override(harness)
    assert prod(harness)[0] == "deployed"
    harness.newer("two")
    harness.run()
    assert prod(harness)[0] != "deployed"


def test_an_override_runs_out() -> None:
    harness = shop()
    override(harness)
    harness.clock.advance(timedelta(hours=24))
    assert prod(harness)[0] != "deployed"


def test_it_passes_a_freeze_and_a_pin_and_no_veto() -> None:
    harness = shop()
    api = harness.api(ANA)
    api.pin("prod", "wait")
    api.context.ledger.append(Frozen(reason="holidays"))
    override(harness)
    api.context.ledger.refresh()
    api.context.ledger.append(Vetoed(reason="leaks", digests=()), release=harness.release().id)
    assert prod(harness)[:2] == ("refused", ReasonCode.VETOED)


def test_it_passes_a_freeze_and_a_pin() -> None:
    harness = shop()
    api = harness.api(ANA)
    api.pin("prod", "wait")
    api.context.ledger.append(Frozen(reason="holidays"))
    override(harness)
    assert prod(harness)[0] == "deployed"


def test_the_next_normal_promotion_waits_for_the_review_of_a_second_person() -> None:
    harness = shop()
    override(harness)
    prod(harness)
    harness.gates = {}
    harness.newer("two")
    harness.run("test")
    status, code, output = prod(harness)
    assert (status, code) == ("refused", ReasonCode.REVIEW_OVERDUE)
    assert "promoter review prod" in output
    with pytest.raises(Refused) as refused:
        harness.api(ANA).review("prod", "mine")
    assert refused.value.reason_code is ReasonCode.SELF_APPROVAL
    harness.api(BEN).review("prod", "seen, justified")
    assert prod(harness)[0] == "deployed"
    with pytest.raises(CallerError, match="no override in prod waits"):
        harness.api(BEN).review("prod", None)


def test_an_unsigned_review_does_not_count_when_signatures_are_required() -> None:
    harness = shop()
    override(harness)
    prod(harness)
    harness.api(BEN).review("prod", None)
    harness.gates, harness.override = {}, POLICY.model_copy(update={"grade": Grade.SIGNED})
    harness.newer("two")
    harness.run("test")
    assert prod(harness)[:2] == ("refused", ReasonCode.REVIEW_OVERDUE)


def test_an_overdue_review_is_reported() -> None:
    harness = shop()
    override(harness)
    prod(harness)
    harness.gates = {}
    harness.newer("two")
    harness.clock.advance(timedelta(days=2))
    harness.run("test")
    assert "overdue since" in prod(harness)[2]


def test_a_rollback_does_not_wait_for_a_review() -> None:
    harness = shop()
    gates, harness.gates = harness.gates, {}
    harness.run()
    harness.newer("two")
    harness.gates = gates
    harness.run()
    override(harness)
    assert prod(harness)[0] == "deployed"
    assert statuses(harness.api(ANA).rollback("prod", None, None)) == {"prod": "deployed"}


def test_status_lists_overrides_until_they_are_reviewed() -> None:
    harness = shop()
    assert harness.api(EVE).status().environments[-1].overridden == ()
    override(harness)
    assert harness.api(EVE).status().environments[-1].overridden == ()
    prod(harness)
    status = harness.api(EVE).status()
    (output,) = status.environments[-1].overridden
    assert output.startswith(f"{ANA} passed the gates of prod by override; review missing (time limit: ")
    assert status.document()["environments"][-1]["overridden"] == [output]
    text = matrix(status, View(harness.clock.now()))
    assert "passed by override" in text.splitlines()[4] and text.endswith(f"! prod  {output}")
    harness.api(BEN).review("prod", None)
    assert harness.api(EVE).status().environments[-1].overridden == ()


def test_explain_names_who_may_override_and_who_may_review() -> None:
    harness = shop()
    harness.override = POLICY.model_copy(update={"grade": Grade.SIGNED, "min": 2})
    harness.gates = {"prod": (Approval(),)}
    harness.run()
    with pytest.raises(CallerError, match=r"names no `approvers`|no key"):
        override(harness)
    harness.override = POLICY.model_copy(update={"min": 2})
    harness.run()
    override(harness)
    opening = next(
        one for one in harness.api(BEN).explain("prod", None, None, run_checks=False).gates if one.result.kind == "override"
    )
    assert (opening.who, opening.command) == ((ANA, EVE), f"promoter override prod {harness.release().short_id} --reason TEXT")


def test_after_a_vote_the_missing_approvals_are_reported() -> None:
    harness = shop()
    api = harness.api(ANA)
    case = api.case("prod", None)
    api.vote(case, "approve", None)
    assert api.still_missing(case) == (f"approval of 2 people: 1 of 2 approvals (by {ANA}); may approve: anyone",)
    other = harness.api(BEN)
    other.vote(other.case("prod", None), "approve", None)
    assert api.still_missing(case) == ()
