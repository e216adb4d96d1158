"""The approval gate, rule by rule: each row fails when its rule is removed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

import pytest

from promoter.gates.approval.rule import Approval, Quota, counting, electorate, evaluate_approval
from promoter.gates.context import GateContext
from promoter.model.images import ImageRef
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, ReasonCode
from promoter.model.vote import Flaw, Vote

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RELEASE = Release(
    {"web": ImageRef.parse("registry.example.com/web@sha256:" + "a" * 64)}, Source("c" * 40, "main", author="dev@example.com")
)
ROLES = {"release-manager": ("ana@example.com", "ben@example.com"), "security": ("eve@example.com",)}
CASE = GateContext("prod", RELEASE, "sha256:plan", "sha256:policy", "earlier", "ann@example.com", NOW, roles=ROLES)


class VoteChanges(TypedDict, total=False):
    """The fields of a vote that differ from the usual ones."""

    decision: str
    role: str | None
    grade: str
    environment: str
    release: str
    plan_digest: str
    from_release: str | None
    policy_digest: str
    at: datetime
    expires_at: datetime | None
    comment: str
    digest: str
    key: str | None
    flaw: Flaw | None
    reviews: str | None
    imported: str | None


class CaseChanges(TypedDict, total=False):
    """The fields of the case that differ from the usual ones."""

    release: Release
    plan_digest: str
    policy_digest: str
    running: str | None
    requested_by: str
    now: datetime
    consumed: frozenset[str]
    requested_seq: int
    roles: Mapping[str, tuple[str, ...]]
    signers: tuple[str, ...] | None
    identities: Mapping[str, str]


def vote(principal: str = "ana@example.com", seq: int = 10, **changes: Unpack[VoteChanges]) -> Vote:
    given = Vote(
        "approve",
        principal,
        None,
        "asserted",
        "prod",
        RELEASE.id,
        "sha256:plan",
        "earlier",
        "sha256:policy",
        NOW - timedelta(hours=1),
        None,
        "",
        seq,
        f"sha256:vote{seq}",
    )
    return replace(given, **changes)


def controller(gate: Approval, *votes: Vote, **changes: Unpack[CaseChanges]) -> tuple[Outcome, ReasonCode]:
    verdict = evaluate_approval(gate, replace(CASE, votes=votes, **changes))
    return verdict.outcome, verdict.code


PASSED = (Outcome.PASSED, ReasonCode.OK)
MISSING = (Outcome.WAITING, ReasonCode.APPROVALS_MISSING)
ONE = Approval()


def test_one_vote_opens_a_gate_for_one_and_none_does_not() -> None:
    assert controller(ONE) == MISSING
    assert controller(ONE, vote()) == PASSED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"environment": "test"}, MISSING),
        ({"release": "f" * 64}, MISSING),
        ({"plan_digest": "sha256:other"}, (Outcome.REFUSED, ReasonCode.APPROVAL_STALE)),
        ({"policy_digest": "sha256:other"}, (Outcome.REFUSED, ReasonCode.POLICY_CHANGED)),
        ({"from_release": None}, (Outcome.REFUSED, ReasonCode.APPROVAL_STALE)),
        ({"expires_at": NOW}, (Outcome.WAITING, ReasonCode.APPROVAL_EXPIRED)),
    ],
)
def test_a_vote_for_something_else_does_not_count(changes: VoteChanges, expected: tuple[Outcome, ReasonCode]) -> None:
    assert controller(ONE, vote(**changes)) == expected


def test_a_used_vote_does_not_count_again() -> None:
    assert controller(ONE, vote(), consumed=frozenset({"sha256:vote10"})) == (Outcome.WAITING, ReasonCode.APPROVAL_USED)


def test_a_stale_vote_is_history_once_the_new_plan_was_asked_for() -> None:
    assert controller(ONE, vote(plan_digest="sha256:old", seq=4), requested_seq=5) == MISSING


def test_people_are_counted_and_not_votes() -> None:
    two = Approval(min=2)
    assert controller(two, vote(seq=10), vote(seq=11)) == MISSING
    assert controller(two, vote(seq=10), vote("ben@example.com", seq=11)) == PASSED


def test_only_listed_people_and_members_of_listed_roles_may_vote() -> None:
    gate = Approval.model_validate({"from": ["release-manager", "zoe@example.com"]})
    assert controller(gate, vote("eve@example.com")) == MISSING
    assert controller(gate, vote("ben@example.com")) == PASSED
    assert controller(gate, vote("zoe@example.com")) == PASSED
    assert electorate(gate, ROLES, None) == {"ana@example.com", "ben@example.com", "zoe@example.com"}


def test_without_from_the_signers_may_vote() -> None:
    assert controller(ONE, vote("mallory@example.com"), signers=("ana@example.com",)) == MISSING
    assert controller(ONE, vote("ana@example.com"), signers=("ana@example.com",)) == PASSED


def test_a_quota_asks_for_its_role_and_the_number() -> None:
    gate = Approval(min=1, require=(Quota(role="security", min=1),))
    assert controller(gate, vote()) == (Outcome.WAITING, ReasonCode.ROLE_MISSING)
    assert controller(gate, vote(), vote("eve@example.com", seq=11)) == PASSED


def test_one_reject_closes_the_gate_despite_approvals() -> None:
    no = vote("ben@example.com", seq=9, decision="reject", comment="not today")
    verdict = evaluate_approval(ONE, replace(CASE, votes=(no, vote())))
    assert (verdict.outcome, verdict.code) == (Outcome.REFUSED, ReasonCode.REJECTED)
    assert "not today" in verdict.sentence


def test_a_reject_without_the_right_to_vote_or_of_another_plan_closes_nothing() -> None:
    gate = Approval.model_validate({"from": ["ana@example.com"]})
    assert controller(gate, vote("ben@example.com", decision="reject"), vote(seq=11)) == PASSED
    assert controller(ONE, vote("ben@example.com", decision="reject", plan_digest="sha256:old"), vote(seq=11)) == PASSED


def test_an_author_is_known_by_every_name_of_theirs() -> None:
    names = {"dev@example.com": "ana@example.com"}
    assert controller(Approval(exclude=("author",)), vote(), identities=names) == (Outcome.WAITING, ReasonCode.SELF_APPROVAL)
    assert controller(Approval(exclude=("author",)), vote()) == PASSED


def test_requester_and_author_may_be_excluded() -> None:
    gate = Approval(exclude=("requester", "author"))
    assert controller(gate, vote("ann@example.com")) == (Outcome.WAITING, ReasonCode.SELF_APPROVAL)
    assert controller(gate, vote("dev@example.com")) == (Outcome.WAITING, ReasonCode.SELF_APPROVAL)
    assert controller(gate, vote("ana@example.com")) == PASSED


def test_a_vote_expires_after_the_gates_own_time() -> None:
    gate = Approval.model_validate({"expires": "30m"})
    assert controller(gate, vote()) == (Outcome.WAITING, ReasonCode.APPROVAL_EXPIRED)
    assert controller(Approval.model_validate({"expires": "2h"}), vote()) == PASSED


def test_a_weaker_grade_does_not_pass_for_a_stronger() -> None:
    gate = Approval.model_validate({"grade": "signed"})
    assert controller(gate, vote()) == MISSING
    assert controller(gate, vote(grade="signed")) == PASSED


def test_a_start_consumes_just_the_votes_that_count() -> None:
    votes = (vote(seq=10), vote(seq=11), vote("ben@example.com", seq=12), vote("eve@example.com", seq=13, plan_digest="sha256:x"))
    assert {v.digest for v in counting(ONE, replace(CASE, votes=votes))} == {"sha256:vote11", "sha256:vote12"}


def texts(gate: Approval, *votes: Vote, **changes: Unpack[CaseChanges]) -> str:
    return evaluate_approval(gate, replace(CASE, votes=votes, **changes)).sentence


ALL_PEOPLE = Approval.model_validate({"from": ["release-manager", "zoe@example.com"], "min": 2})
ANA = "the approval by ana@example.com"
SENTENCES: dict[str, Callable[[], str]] = {
    "0 of 1 approvals; may approve: anyone": lambda: texts(ONE),
    "0 of 1 approvals; may approve: ann, ben": lambda: texts(ONE, signers=("ben", "ann")),
    "0 of 2 approvals; may approve: release-manager, zoe@example.com": lambda: texts(ALL_PEOPLE),
    "1 of 2 approvals (by ana@example.com); may approve: release-manager, zoe@example.com": lambda: texts(ALL_PEOPLE, vote()),
    "1 of 1 approvals (by ana@example.com); may approve: anyone; needs 2 from role security": lambda: texts(
        Approval(require=(Quota(role="security", min=2),)), vote()
    ),
    "approved by ana@example.com, ben@example.com": lambda: texts(ALL_PEOPLE, vote("ben@example.com"), vote(seq=11)),
    "ana@example.com rejected it": lambda: texts(ONE, vote(decision="reject")),
    "ana@example.com rejected it: no": lambda: texts(ONE, vote(decision="reject", comment="no")),
    f"0 of 1 approvals; may approve: anyone; {ANA} does not count: it is torn": lambda: texts(
        ONE, vote(flaw=Flaw(ReasonCode.SIGNATURE_INVALID, "it is torn"))
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} was already used by an earlier promotion": lambda: texts(
        ONE, vote(), consumed=frozenset({"sha256:vote10"})
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} is for another plan: the configuration has changed since": lambda: texts(
        ONE, vote(plan_digest="sha256:x")
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} is stale: gates, roles or signers have changed since": lambda: texts(
        ONE, vote(policy_digest="sha256:x")
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} is stale: what runs in prod has changed since": lambda: texts(
        ONE, vote(from_release=None)
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} has expired": lambda: texts(ONE, vote(expires_at=NOW)),
    f"0 of 1 approvals; may approve: anyone; {ANA} is only asserted, but this gate requires signed": lambda: texts(
        Approval.model_validate({"grade": "signed"}), vote()
    ),
    f"0 of 1 approvals; may approve: anyone; {ANA} does not count: they requested this promotion": lambda: texts(
        Approval(exclude=("requester",)), vote(), requested_by="ana@example.com"
    ),
    "0 of 1 approvals; may approve: anyone; the approval by dev@example.com does not count: they wrote the last commit": lambda: (
        texts(Approval(exclude=("author",)), vote("dev@example.com"))
    ),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_sentence_lists_given_and_missing_approvals_and_who_can_give_them(sentence: str) -> None:
    assert SENTENCES[sentence]() == sentence


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        ({}, "approval of 1 person"),
        ({"min": 2, "grade": "signed"}, "signed approval of 2 people"),
        ({"from": ["security", "ana"]}, "approval of 1 person from security, ana"),
        ({"grade": "platform"}, "reviewed approval of 1 person"),
    ],
)
def test_the_title_describes_the_required_approvals(keys: dict[str, object], title: str) -> None:
    assert Approval.model_validate(keys).title() == title


def test_a_vote_in_the_very_fact_that_asked_is_none() -> None:
    assert "stale" not in texts(ONE, vote(seq=5, from_release=None), requested_seq=5)
    assert "stale" in texts(ONE, vote(seq=6, from_release=None), requested_seq=5)


def test_an_unknown_grade_is_the_weakest() -> None:
    assert controller(Approval.model_validate({"grade": "platform"}), vote(grade="solemn")) == MISSING
    assert controller(ONE, vote(grade="solemn")) == PASSED


def test_one_key_is_one_person_and_the_first_who_used_it_is_the_one() -> None:
    two = Approval(min=2)
    ana, ben, eve = (
        vote(seq=10, key="K", grade="signed"),
        vote("ben@example.com", 11, key="K", grade="signed"),
        vote("eve@example.com", 12, key="E", grade="signed"),
    )
    assert texts(two, ben, ana).endswith(
        "; the approval by ben@example.com was signed with the same key as that by ana@example.com"
    )
    early = replace(ben, seq=9)
    assert texts(two, early, ana).endswith(
        "; the approval by ana@example.com was signed with the same key as that by ben@example.com"
    )
    assert controller(two, ana, ben) == MISSING and controller(two, ana, ben, eve) == PASSED
    assert controller(Approval(min=3), ana, eve, replace(ben, seq=13)) == MISSING  # also with another vote in between
    assert [one.principal for one in counting(two, replace(CASE, votes=(eve, ben, ana)))] == [
        "ana@example.com",
        "eve@example.com",
    ]


def test_votes_without_a_key_are_counted_by_person() -> None:
    ana, ben = vote(seq=10), vote("ben@example.com", seq=11)
    assert controller(Approval(min=2), ana, ben) == PASSED
    assert "same key" not in texts(Approval(min=3), ana, ben)
    zoe = vote("zoe@example.com", seq=12, key="K", grade="signed")
    assert "same key" not in texts(Approval(min=4), ana, ben, zoe)


def test_a_start_consumes_no_vote_of_a_person_who_may_not_vote() -> None:
    votes = (vote(seq=10), vote("zoe@example.com", seq=11))
    assert {v.principal for v in counting(ONE, replace(CASE, votes=votes, signers=("ana@example.com",)))} == {"ana@example.com"}
    gate = Approval.model_validate({"from": ["zoe@example.com"]})
    assert {v.principal for v in counting(gate, replace(CASE, votes=votes))} == {"zoe@example.com"}


def test_a_missing_role_gives_its_own_reason_code() -> None:
    gate = Approval(min=2, require=(Quota(role="security"),))
    assert controller(gate, vote()) == MISSING
    assert controller(gate, vote(), vote("ben@example.com", seq=11)) == (Outcome.WAITING, ReasonCode.ROLE_MISSING)
