"""Reviews on the platform as votes: for what this same run asked, once each, from those who may, and with one name a person."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from promoter.api import Promoter
from promoter.gates.approval.rule import Approval
from promoter.gates.override import Rollback
from promoter.gates.soak import Soak
from promoter.ledger.chain import Fact, FactDraft, Kind, head_of
from promoter.model.errors import CallerError, ForgeError, Refused
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.pipeline.model import Pipeline, Rules
from promoter.pipeline.policy import policy_digest
from promoter.promotion.results import RunResult
from promoter.usecases.ports.platform import Event, PipelineAt, Review
from tests.fakes.forge import FakeForge
from tests.harness import WEB, Harness, statuses

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
PEOPLE = {ANA: ("ana-dev", "ana@old.example.com"), BEN: ("ben-dev",), EVE: ("Eve-Dev",)}
RUN, OTHER = "https://github.com/acme/shop/actions/runs/1", "https://github.com/acme/shop/actions/runs/2"
GATE = Approval.model_validate({"from": [ANA, BEN], "grade": "platform"})


@dataclass
class ReviewHarness(Harness):
    """A harness in CI: its prod waits for reviews on the platform."""

    people: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(PEOPLE))
    forge: FakeForge = field(default_factory=FakeForge)
    ci_run: str | None = RUN

    def __post_init__(self) -> None:
        super().__post_init__()
        self.gates = {"prod": (GATE,)}

    @property
    def pipeline(self) -> Pipeline:
        return replace(super().pipeline, people=self.people)

    def api(self, actor: str = "ci@example.com") -> Promoter:
        api = super().api(self.pipeline.person(actor))
        api.context.ports, api.context.ci_run = replace(api.ports, forge=self.forge.of), self.ci_run
        return api

    def come(self) -> tuple[Fact, ...]:
        return self.api().import_reviews("prod").facts

    def promote(self) -> RunResult:
        return self.api().promote(None, "prod", None)

    def prod(self) -> tuple[str, ReasonCode, str]:
        end = self.promote().environments[-1]
        return str(end.status), end.code, "; ".join(end.reasons)


@pytest.fixture
def harness() -> ReviewHarness:
    harness = ReviewHarness()
    assert statuses(harness.run())["prod"] == "pending"
    return harness


def asked(harness: ReviewHarness) -> list[object]:
    return [fact.body.get("run") for fact in harness.store.read() if fact.kind is Kind.REQUESTED and fact.environment == "prod"]


# ------------------------------------------------------------ binding
def test_a_review_opens_the_gate_of_the_run_that_asked(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev", comment="fine")
    (fact,) = harness.come()
    assert (fact.kind, fact.body["principal"], fact.body["grade"], fact.body["comment"]) == ("approved", ANA, "platform", "fine")
    assert statuses(harness.promote())["prod"] == "deployed"


@pytest.mark.parametrize(
    ("run", "message"), [(OTHER, f"requested by run {RUN}, not by this run"), (None, "this is not a CI run")]
)
def test_another_run_and_no_run_have_no_reviews_of_it(harness: ReviewHarness, run: str | None, message: str) -> None:
    harness.forge.review("ana-dev")
    harness.ci_run = run
    with pytest.raises((Refused, CallerError), match=message) as caught:
        harness.come()
    assert caught.value.hint and harness.forge.asked == 0
    assert "approved" not in harness.kinds("prod")


def test_a_request_of_a_person_belongs_to_no_run() -> None:
    harness = ReviewHarness(ci_run=None)
    harness.run()
    assert asked(harness) == [None] and "run" not in next(f for f in harness.store.read() if f.kind is Kind.REQUESTED).body
    harness.ci_run = RUN
    with pytest.raises(Refused, match="requested by no CI run, not by this run"):
        harness.come()


def test_a_later_run_asks_for_itself_once_and_the_first_may_still_go_on(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    harness.ci_run = OTHER
    for _ in range(3):
        assert harness.prod()[:2] == ("pending", ReasonCode.APPROVALS_MISSING)
    assert asked(harness) == [RUN, OTHER]
    assert len(harness.come()) == 1
    harness.ci_run = RUN
    assert len(harness.come()) == 1


@pytest.mark.parametrize("grade", [Grade.ASSERTED, Grade.SIGNED])
def test_where_no_reviews_are_waited_for_runs_do_not_ask_again(grade: Grade) -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (Approval(grade=grade),)}
    harness.run()
    harness.ci_run = OTHER
    harness.promote()
    assert asked(harness) == [RUN]


def test_reviews_of_a_run_with_two_requests_are_refused(harness: ReviewHarness) -> None:
    harness.services = {"web": WEB.model_copy(update={"environment": {"LEVEL": "debug"}})}
    harness.run()
    harness.forge.review("ana-dev")
    assert asked(harness) == [RUN, RUN]
    with pytest.raises(Refused, match="it is unknown which of them was reviewed"):
        harness.come()


def test_a_review_is_stale_when_the_plan_changed(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    harness.come()
    harness.services = {"web": WEB.model_copy(update={"environment": {"LEVEL": "debug"}})}
    status, code, output = harness.prod()
    assert (status, code) == ("refused", ReasonCode.APPROVAL_STALE) and f"the approval by {ANA} is for another plan" in output


def test_what_is_asked_for_while_reviews_are_fetched_is_not_what_was_reviewed(
    harness: ReviewHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.forge.review("ana-dev")

    def another_request() -> tuple[Review, ...]:
        harness.ci_run = OTHER
        harness.services = {"web": WEB.model_copy(update={"environment": {"LEVEL": "debug"}})}
        harness.run()
        return tuple(one for _, one in harness.forge.given)

    api = harness.api()
    monkeypatch.setattr(harness.forge, "reviews", lambda environment: another_request())
    with pytest.raises(Refused, match="has another request meanwhile"):
        api.import_reviews("prod")
    assert "approved" not in harness.kinds("prod")


# ------------------------------------------------------------ once
def test_the_same_review_is_recorded_once(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    assert len(harness.come()) == 1
    again = harness.api().import_reviews("prod")
    assert (again.facts, again.known) == ((), 1)
    harness.forge.review("ana-dev")
    assert len(harness.come()) == 1, "a second review is another one"


def test_also_by_two_jobs_at_once(harness: ReviewHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.forge.review("ana-dev")
    first, usual = harness.api(), harness.forge.reviews

    def the_other_is_quicker(environment: str) -> tuple[Review, ...]:
        monkeypatch.setattr(harness.forge, "reviews", usual)
        assert len(harness.come()) == 1
        return usual(environment)

    monkeypatch.setattr(harness.forge, "reviews", the_other_is_quicker)
    late = first.import_reviews("prod")
    assert (late.facts, late.known) == ((), 1)
    assert harness.kinds("prod").count("approved") == 1


def test_a_copy_of_a_used_review_is_the_same_vote(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    (fact,) = harness.come()
    harness.promote()
    head = head_of(list(harness.store.read())[-1])
    harness.store.append(
        FactDraft(fact.kind, "x", "prod", fact.release, {**fact.body, "from": fact.release}), head, harness.clock.now()
    )
    entry = harness.api().context.ledger.state.environment("prod")
    first, copy = entry.votes_for(fact.release or "")
    assert first.digest != copy.digest and entry.consumed.get(copy.identity) is not None


# ------------------------------------------------------------ who, and with which role
@pytest.mark.parametrize(
    ("gate", "user", "message"),
    [
        (GATE, "mallory", "mallory may not vote here; these may: ana@example.com, ben@example.com"),
        (GATE, "EVE-dev", "EVE-dev (eve@example.com) may not vote here"),
        (Approval(grade=Grade.PLATFORM, exclude=("requester",)), "ci@example.com", "requested this promotion"),
        (Approval(grade=Grade.PLATFORM, exclude=("author",)), "author@example.com", "wrote the last commit"),
    ],
)
def test_a_reviewer_without_permission_is_passed_over_by_name(
    harness: ReviewHarness, gate: Approval, user: str, message: str
) -> None:
    harness.gates = {"prod": (gate,)}
    harness.ci_run = OTHER
    harness.run()
    harness.forge.review(user)
    output = harness.api().import_reviews("prod")
    assert output.facts == () and message in output.passed_over[0]


@pytest.mark.parametrize(("asker", "excluded"), [("ana-dev", "requester"), ("ANA-dev", "requester"), (ANA, "requester")])
def test_who_asks_by_a_login_is_the_person(asker: str, excluded: str) -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (Approval.model_validate({"grade": "platform", "exclude": [excluded]}),)}
    harness.api(asker).run(None, None)
    harness.forge.review("ana-dev")
    output = harness.api().import_reviews("prod")
    assert output.facts == () and output.passed_over == (f"ana-dev ({ANA}) requested this promotion and may not approve it",)


def test_who_asked_by_a_login_before_its_person_was_known_is_the_person_too() -> None:
    harness = ReviewHarness(people={})
    harness.gates = {"prod": (Approval.model_validate({"grade": "platform", "exclude": ["requester"]}),)}
    harness.api("ana-dev").run(None, None)
    harness.people = PEOPLE
    harness.forge.review("ana-dev")
    assert "requested this promotion" in harness.api().import_reviews("prod").passed_over[0]


def test_a_vote_under_another_name_of_the_same_person_is_the_same_persons() -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (Approval(min=2),)}
    harness.run()
    harness.forge.review("ana-dev")
    (fact,) = harness.come()
    body = {key: value for key, value in fact.body.items() if key != "review"} | {"principal": "Ana-Dev", "grade": "asserted"}
    harness.store.append(FactDraft(fact.kind, "x", "prod", fact.release, body), head_of(fact), harness.clock.now())
    status, _, output = harness.prod()
    assert status == "pending" and f"1 of 2 approvals (by {ANA})" in output


def test_who_wrote_the_commit_under_an_older_address_is_the_person(harness: ReviewHarness) -> None:
    harness.gates = {"prod": (Approval.model_validate({"grade": "platform", "exclude": ["author"]}),)}
    harness.source.now = replace(harness.source.now, author="ana@old.example.com", sha="e" * 40)
    harness.ci_run = OTHER
    harness.run()
    harness.forge.review("ana-dev")
    assert "wrote the last commit of this release" in harness.api().import_reviews("prod").passed_over[0]


@pytest.mark.parametrize(
    ("grade", "status"), [(Grade.ASSERTED, "deployed"), (Grade.PLATFORM, "deployed"), (Grade.SIGNED, "pending")]
)
def test_what_a_review_is_worth(grade: Grade, status: str) -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (Approval(grade=grade),)}
    harness.run()
    harness.forge.review("ana-dev")
    assert len(harness.come()) == 1
    assert statuses(harness.promote())["prod"] == status


def test_a_name_alone_does_not_open_a_reviewed_gate(harness: ReviewHarness) -> None:
    api = harness.api(ANA)
    with pytest.raises(CallerError, match="only reviews on the platform and signed votes count here") as caught:
        api.vote(api.case("prod", None), "approve", None)
    assert f"review the deployment on the page of the run {RUN}" in str(caught.value.hint)


def test_a_reviewed_vote_without_a_review_is_not_counted() -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (GATE.model_copy(update={"min": 2}),)}
    harness.run()
    harness.forge.review("ana-dev")
    (fact,) = harness.come()
    body = {key: value for key, value in fact.body.items() if key != "review"} | {"principal": BEN}
    harness.store.append(FactDraft(fact.kind, "x", "prod", fact.release, body), head_of(fact), harness.clock.now())
    status, code, output = harness.prod()
    assert (status, code) == ("refused", ReasonCode.SIGNATURE_INVALID)
    assert f"1 of 2 approvals (by {ANA})" in output and "names no review" in output


def test_a_rejected_review_closes_the_gate_despite_approvals(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    harness.forge.review("ben-dev", "reject", comment="not today")
    assert [str(fact.kind) for fact in harness.come()] == ["rejected", "approved"]
    assert harness.prod()[:2] == ("refused", ReasonCode.REJECTED)


def test_a_review_expires_after_the_time_of_the_gate(harness: ReviewHarness) -> None:
    harness.gates = {"prod": (GATE.model_copy(update={"expires": timedelta(hours=1)}),)}
    harness.ci_run = OTHER
    harness.run()
    harness.forge.review("ana-dev")
    harness.come()
    harness.clock.advance(timedelta(hours=2))
    assert harness.prod()[1] is ReasonCode.APPROVAL_EXPIRED


def test_what_the_platform_calls_otherwise_is_read_under_that_name(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev", environment="production")
    assert harness.come() == ()
    (fact,) = harness.api().import_reviews("prod", None, "production").facts
    assert fact.body["review"]["environment"] == "production"


# ------------------------------------------------------------ identities and the policy
def test_identities_are_part_of_the_policy() -> None:
    pipeline = replace(Harness(roles={"rm": (ANA,)}).pipeline)
    rules = Rules("prod", (Approval.model_validate({"min": 1, "from": ["rm"]}),), Rollback(), None)
    before = policy_digest(pipeline, rules)
    assert policy_digest(replace(pipeline, people=PEOPLE), rules) != before


def test_changing_the_logins_of_a_person_changes_the_policy(harness: ReviewHarness) -> None:
    harness.forge.review("ana-dev")
    harness.come()
    harness.people = {**PEOPLE, BEN: ("ben-dev", "benny")}
    assert harness.prod()[1] is ReasonCode.POLICY_CHANGED


def test_who_wrote_it_under_another_name_may_not_approve_it_by_hand_either() -> None:
    harness = ReviewHarness()
    harness.gates = {"prod": (Approval(exclude=("author",)),)}
    harness.source.now = replace(harness.source.now, author="ana@old.example.com")
    harness.run()
    api = harness.api("ana-dev")
    with pytest.raises(Refused, match=f"{ANA} wrote the last commit of this release and may not approve it"):
        api.vote(api.case("prod", None), "approve", None)


# ------------------------------------------------------------ starting the job that continues
@pytest.fixture
def session() -> ReviewHarness:
    harness = ReviewHarness(ci_run=None)
    harness.gates = {"prod": (Approval(min=2),)}
    harness.run()
    return harness


def voted(harness: ReviewHarness, actor: str) -> tuple[Promoter, Callable[[], tuple[str, ...]]]:
    api = harness.api(actor)
    case = api.case("prod", None)
    api.vote(case, "approve", None)
    return api, lambda: api.still_closed(case)


def test_nothing_is_missing_after_the_last_vote_only(session: ReviewHarness) -> None:
    _, closed = voted(session, ANA)
    assert len(closed()) == 1 and "1 of 2 approvals" in closed()[0]
    _, closed = voted(session, BEN)
    assert closed() == ()


def test_a_job_that_would_have_to_soak_is_not_worth_starting(session: ReviewHarness) -> None:
    session.gates = {"prod": (Soak.model_validate({"in": "test", "for": "1h"}), Approval())}
    session.run()
    _, closed = voted(session, ANA)
    assert len(closed()) == 1 and "soak" in closed()[0]


def test_a_promotion_that_another_run_continued_is_not_started_again(session: ReviewHarness) -> None:
    voted(session, ANA)
    _, closed = voted(session, BEN)
    session.promote()
    assert len(closed()) == 1 and "does not wait in prod" in closed()[0]


def test_a_missing_platform_or_permission_is_reported_before_a_vote(session: ReviewHarness) -> None:
    session.forge.failing["prove"] = ForgeError("bad credentials")
    with pytest.raises(ForgeError, match="bad credentials"):
        session.api(ANA).starter(Event("promoter"))
    with pytest.raises(CallerError, match="there is no GitLab here"):
        Harness().api().starter(PipelineAt("main"))
