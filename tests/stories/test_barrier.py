"""A job that cannot be undone: a rollback across its release is refused, an override opens it, and a failure reports it."""

from typing import Any

import pytest

from promoter.gates.checks import Check, ContainerCheck, HttpCheck
from promoter.gates.override import Override
from promoter.ledger.chain import Kind
from promoter.model.errors import Interrupted, Refused
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.promotion.progress import Notice
from promoter.promotion.results import Decision, EnvironmentResult
from promoter.ui.reports.plan import planned
from promoter.ui.reports.view import View
from tests.documents import value_at
from tests.fakes.engine import Behaviour
from tests.harness import Harness, statuses

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
POLICY = Override.model_validate({"from": ["on-call"], "grade": Grade.ASSERTED})
MIGRATE = ContainerCheck(service="web", command=("migrate",), reversible=False)
HARMLESS = ContainerCheck(service="web", command=("migrate",))
TITLE = "container web: migrate (irreversible)"


def shop(*words: str, **more: Any) -> Harness:
    """One environment. Each word is a release, promoted in this order. `!` before a word adds an irreversible job to it."""
    made = Harness(names={"prod": ()}, roles={"on-call": (ANA, EVE)}, override=POLICY, **more)
    for word in words:
        release(made, word)
        assert statuses(made.run()) == {"prod": "deployed"}
    return made


def release(made: Harness, word: str) -> str:
    """Make a release and the file to promote it with; return its id."""
    job: Check = MIGRATE if word.startswith("!") else HARMLESS
    made.before = (job,)
    made.newer(word)
    return made.release().id


def ids(made: Harness) -> list[str]:
    return [str(fact.release) for fact in made.store.read() if fact.kind is Kind.RELEASED]


def current(made: Harness) -> object:
    return value_at(made.api().status().document(), "environments", 0, "release", "id")


def rollback(made: Harness, to: str | None = None, actor: str = ANA) -> EnvironmentResult:
    return made.api(actor).rollback("prod", to, None).environments[0]


def promote(made: Harness, which: str) -> EnvironmentResult:
    return made.api(ANA).promote(which, "prod", None).environments[0]


def override(made: Harness, which: str) -> None:
    api = made.api(ANA)
    api.override(api.case("prod", which), "the data fits")


def test_a_rollback_across_the_release_is_refused_before_anything_changes() -> None:
    made = shop("one", "!two")
    old, new = ids(made)
    made.engine.calls.clear()
    made.events.clear()
    result = made.api(ANA).rollback("prod", None, None)
    assert (result.decision, result.reason_code) == (Decision.REFUSED, ReasonCode.IRREVERSIBLE)
    (text,) = result.environments[0].reasons
    assert all(part in text for part in (old[:12], new[:12], TITLE, f"`promoter override prod {old[:12]} --reason …`"))
    assert made.engine.verbs("create", "start", "stop", "remove") == []
    notices = [event.text for event in made.events if isinstance(event, Notice)]
    assert any(f"goes back across release {new[:12]}, which ran {TITLE}" in notice for notice in notices)


def test_a_job_that_can_be_undone_is_no_barrier() -> None:
    made = shop("one", "two")
    assert rollback(made).status == "deployed"


def test_the_way_to_the_release_itself_is_open_and_further_back_it_is_closed() -> None:
    made = shop("one", "!two", "three")
    old, new, _ = ids(made)
    assert rollback(made, old).code is ReasonCode.IRREVERSIBLE
    assert (rollback(made).status, current(made)) == ("deployed", new)
    assert rollback(made, old).code is ReasonCode.IRREVERSIBLE


def test_an_older_release_that_never_ran_there_is_refused_too_and_a_newer_one_enters() -> None:
    made = shop("one")
    release(made, "never")
    made.api().build()
    never = made.release().id
    release(made, "!three")
    made.run()
    made.before = (HARMLESS,)
    assert (promote(made, never).status, promote(made, never).code) == ("refused", ReasonCode.IRREVERSIBLE)
    release(made, "four")
    assert statuses(made.run()) == {"prod": "deployed"}


def test_plan_shows_the_barrier_beforehand() -> None:
    made = shop("one", "!two")
    result = made.api().plan(ids(made)[0], "prod")
    gate = ("environments", 0, "gates", 0)
    found = [value_at(result.document(), *gate, key) for key in ("gate", "outcome", "reason_code")]
    assert found == ["barrier", "refused", "irreversible"]
    assert "✗ barrier: release" in planned(result, View(made.clock.now()))


def test_an_override_opens_it_for_a_rollback_and_must_be_reviewed() -> None:
    made = shop("one", "!two")
    old, _ = ids(made)
    rollback(made)
    ben = made.api(BEN)
    case = ben.case("prod", old)
    with pytest.raises(Refused):
        ben.override(case, "I may not")
    override(made, old)
    result = rollback(made)
    assert (result.status, result.code) == ("deployed", ReasonCode.OVERRIDDEN)
    assert "the data fits" in result.reasons[0]
    status = made.api(EVE).status().environments[0]
    assert (status.pinned is not None, len(status.overridden)) == (True, 1)


def test_an_override_passes_no_veto_and_gives_no_right_to_roll_back() -> None:
    made = shop("one", "!two")
    old, _ = ids(made)
    rollback(made)
    override(made, old)
    made.rollback = made.rollback.model_copy(update={"from_": (EVE,)})
    assert rollback(made, old).status == "refused"
    made.rollback = made.rollback.model_copy(update={"from_": None})
    made.api().veto(old, "leaks")
    assert rollback(made, old).code is ReasonCode.VETOED


def test_an_override_opens_it_for_a_promotion() -> None:
    made = shop("one", "!two")
    old, _ = ids(made)
    made.before = ()
    assert promote(made, old).code is ReasonCode.IRREVERSIBLE
    override(made, old)
    assert (promote(made, old).status, promote(made, old).status) == ("deployed", "unchanged")


def test_a_release_that_was_verified_after_the_job_is_not_refused_again() -> None:
    made = shop("one", "!two")
    old, _ = ids(made)
    rollback(made)
    override(made, old)
    rollback(made)
    made.api().unpin("prod", "fixed")
    made.api(BEN).review("prod", "seen")
    release(made, "three")
    assert statuses(made.run()) == {"prod": "deployed"}
    assert rollback(made, old).status == "deployed"


def test_a_barrier_of_an_older_release_does_not_hide_that_of_a_newer_one() -> None:
    made = shop("!one")
    release(made, "between")
    made.api().build()
    between = made.release().id
    release(made, "!three")
    made.run()
    first = ids(made)[0]
    rollback(made, first)
    override(made, first)
    assert rollback(made, first).status == "deployed"  # and its own job has run again
    made.api().unpin("prod", "fixed")
    made.api(BEN).review("prod", "seen")
    made.before = (HARMLESS,)
    assert promote(made, between).code is ReasonCode.IRREVERSIBLE


def test_without_an_override_policy_the_message_names_the_key_to_write() -> None:
    made = shop("one", "!two")
    made.override = None
    assert "name people under `override`" in rollback(made).reasons[0]
    (opening,) = made.api().explain("prod", ids(made)[0], None, run_checks=False).closed
    assert opening.command is None


def test_explain_names_who_can_open_it_and_how() -> None:
    made = shop("one", "!two")
    old, _ = ids(made)
    (opening,) = made.api().explain("prod", old, None, run_checks=False).closed
    assert (opening.who, opening.command) == ((ANA, EVE), f"promoter override prod {old[:12]} --reason TEXT")


# ------------------------------------------------------------ failures
NEVER = HttpCheck.model_validate({"url": "http://127.0.0.1:1/", "within": "0s"})


def test_after_a_failure_the_earlier_containers_return_and_the_result_names_the_job() -> None:
    made = shop("one", "two")
    older, old = ids(made)
    new = release(made, "!three")
    made.verify = (NEVER,)
    entry = made.run().environments[0]
    made.verify = ()
    assert (entry.status, entry.code) == ("rolled_back", ReasonCode.VERIFY_FAILED)
    assert any(f"{TITLE} has run: what it has changed cannot be undone" in reason for reason in entry.reasons)
    assert entry.document()["irreversible"] == [TITLE]
    assert list(made.store.read())[-1].body["irreversible"] == [TITLE]
    assert current(made) == old
    assert new[:12] in rollback(made, older).reasons[0]
    made.engine.crash("shop-prod-web")
    assert statuses(made.api().repair("prod")) == {"prod": "deployed"}  # what was restored may be repaired


def test_a_job_that_fails_may_have_changed_something() -> None:
    made = shop("one", "two")
    older, _ = ids(made)
    release(made, "!three")
    made.engine.behave(made.images["web"].digest, Behaviour(job=1))
    entry = made.run().environments[0]
    assert (entry.status, entry.code) == ("failed", ReasonCode.CHECK_FAILED)
    assert any(f"{TITLE} has run" in reason for reason in entry.reasons)
    assert rollback(made, older).code is ReasonCode.IRREVERSIBLE


def test_a_failure_before_the_job_is_no_barrier() -> None:
    made = shop("one", "two")
    older, _ = ids(made)
    release(made, "!three")
    made.engine.offered.clear()
    entry = made.run().environments[0]
    assert (entry.status, "irreversible" in entry.document()) == ("failed", False)
    assert rollback(made, older).status == "deployed"


@pytest.mark.parametrize(
    ("verb", "output"), [("wait", "was started and did not finish"), ("stop", "has run: what it has changed cannot be undone")]
)
def test_a_killed_run_that_another_release_replaces_leaves_the_barrier(verb: str, output: str) -> None:
    made = shop("one", "two")
    older, _ = ids(made)
    release(made, "!three")
    kill_at(made, verb)
    with pytest.raises(KeyboardInterrupt):
        made.run()
    release(made, "four")
    assert statuses(made.run()) == {"prod": "deployed"}
    failed = next(fact for fact in made.store.read() if fact.kind is Kind.FAILED)
    assert failed.body["irreversible"] == [TITLE]
    assert output in str(failed.body["reasons"])
    assert rollback(made, older).code is ReasonCode.IRREVERSIBLE


@pytest.mark.parametrize("verb", ["wait", "stop"])
def test_a_killed_run_that_is_resumed_records_the_job_at_its_end(verb: str) -> None:
    made = shop("one")
    release(made, "!two")
    kill_at(made, verb)
    with pytest.raises(KeyboardInterrupt):
        made.run()
    assert statuses(made.run()) == {"prod": "deployed"}
    assert list(made.store.read())[-1].body["irreversible"] == [TITLE]
    assert rollback(made).code is ReasonCode.IRREVERSIBLE


def test_a_repair_runs_no_job_and_records_none() -> None:
    made = shop("!one")
    made.engine.crash("shop-prod-web")
    made.api().repair("prod")
    assert "irreversible" not in list(made.store.read())[-1].body


def test_a_repair_that_is_resumed_records_none_either() -> None:
    made = shop("!one")
    made.engine.crash("shop-prod-web")
    kill_at(made, "start")
    with pytest.raises(KeyboardInterrupt):
        made.api().repair("prod")
    assert statuses(made.api().repair("prod")) == {"prod": "deployed"}
    assert "irreversible" not in list(made.store.read())[-1].body


def test_a_job_that_is_interrupted_was_started() -> None:
    made = shop("one", "two")
    older, _ = ids(made)
    release(made, "!three")
    kill_at(made, "wait", Interrupted())
    entry = made.run().environments[0]
    assert (entry.status, entry.code) == ("interrupted", ReasonCode.INTERRUPTED)
    assert any(f"{TITLE} was started and did not finish" in reason for reason in entry.reasons)
    assert rollback(made, older).code is ReasonCode.IRREVERSIBLE


def test_what_was_put_back_may_be_promoted_again_with_another_configuration() -> None:
    made = shop("one")
    (old,) = ids(made)
    release(made, "!two")
    made.verify = (NEVER,)
    made.run()
    made.verify, made.before = (), ()
    assert promote(made, old).status == "deployed"


def kill_at(made: Harness, verb: str, error: BaseException | None = None) -> None:
    """End the process at the next call of this verb: nothing is restored and nothing is recorded. Or raise `error` there."""
    original = getattr(made.engine, verb)

    def killed(*words: object, **options: object) -> None:
        setattr(made.engine, verb, original)
        raise error or KeyboardInterrupt

    setattr(made.engine, verb, killed)
