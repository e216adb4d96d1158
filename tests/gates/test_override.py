"""Who may review a promotion that passed the gates by an override: a second person, with a second key, in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from promoter.gates.override import Override, evaluate_override, evaluate_review
from promoter.model.verdict import Outcome, ReasonCode
from promoter.model.vote import Flaw, Vote
from tests.gates.approval.test_rule import CASE, NOW, VoteChanges, vote

POLICY = Override.model_validate({"from": ["release-manager"], "review_within": "2h"})
ASSERTED = Override.model_validate({"from": ["release-manager"], "grade": "asserted"})
FIRST = vote(decision="override", key="K1", grade="signed", comment="it burns")
BEN = vote("ben@example.com", 20, decision="review", key="K2", grade="signed", reviews=FIRST.digest)
CASE_NOW = replace(CASE, signers=("ana@example.com", "ben@example.com"))


class ReviewChanges(VoteChanges, total=False):
    principal: str


def reviewed(policy: Override | None, *reviews: Vote, signers: tuple[str, ...] | None = CASE_NOW.signers) -> bool:
    verdict = evaluate_review(policy, replace(CASE, signers=signers), (FIRST,), NOW, reviews)
    assert verdict.code in (ReasonCode.OK, ReasonCode.REVIEW_OVERDUE)
    return verdict.outcome is Outcome.PASSED


def test_a_second_person_s_review_clears_it() -> None:
    verdict = evaluate_review(POLICY, CASE_NOW, (FIRST,), NOW, (BEN,))
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "reviewed by ben@example.com")


@pytest.mark.parametrize(
    "changes",
    [
        {"principal": "ana@example.com"},
        {"key": "K1"},
        {"principal": "zoe@example.com"},
        {"flaw": Flaw(ReasonCode.KEY_REVOKED, "x")},
        {"reviews": "sha256:another"},
        {"reviews": None},
        {"grade": "asserted"},
        {"grade": "platform"},
    ],
)
def test_what_is_no_review_by_a_second_person_clears_nothing(changes: ReviewChanges) -> None:
    wrong = replace(BEN, **changes)
    assert not reviewed(POLICY, wrong)
    assert reviewed(POLICY, wrong, BEN)


def test_how_sure_one_must_be_who_reviewed_follows_the_policy_and_without_one_the_signers() -> None:
    asserted = replace(BEN, grade="asserted", key=None)
    assert reviewed(ASSERTED, asserted)
    assert not reviewed(POLICY, asserted, signers=None)
    assert not reviewed(None, asserted)
    assert reviewed(None, BEN) and reviewed(None, asserted, signers=None) and reviewed(None, asserted, signers=()) is False


def test_without_signers_anybody_else_may_review() -> None:
    assert reviewed(POLICY, replace(BEN, principal="zoe@example.com"), signers=None)


@pytest.mark.parametrize(
    ("policy", "hours", "when"),
    [
        (POLICY, 1, "time limit: 2026-03-02 14:00 UTC"),
        (POLICY, 2, "overdue since 2026-03-02 14:00 UTC"),
        (POLICY, 3, "overdue since 2026-03-02 14:00 UTC"),
        (ASSERTED, 3, "time limit: 2026-03-03 12:00 UTC"),
        (None, 0, "overdue since 2026-03-02 12:00 UTC"),
    ],
)
def test_the_deadline_of_the_review_is_shown(policy: Override | None, hours: int, when: str) -> None:
    verdict = evaluate_review(
        policy, replace(CASE_NOW, now=NOW + timedelta(hours=hours)), (FIRST, replace(FIRST, principal="eve")), NOW, ()
    )
    assert (verdict.outcome, verdict.code) == (Outcome.REFUSED, ReasonCode.REVIEW_OVERDUE)
    assert verdict.sentence == (
        f"ana@example.com, eve passed the gates of prod by override; review missing ({when});"
        " another person must run `promoter review prod`"
    )


def test_an_override_names_the_person_and_the_reason() -> None:
    verdict = evaluate_override(ASSERTED, replace(CASE, overrides=(FIRST,)))
    assert verdict is not None and (verdict.outcome, verdict.code) == (Outcome.PASSED, ReasonCode.OVERRIDDEN)
    assert verdict.sentence == "the gates are overridden (ana@example.com: it burns)"
    assert evaluate_override(ASSERTED, replace(CASE, overrides=(replace(FIRST, plan_digest="sha256:x"),))) is None
