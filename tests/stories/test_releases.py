"""What one can ask for, with fakes: run, promote, gates, votes, failures, rollback, resumption."""

from dataclasses import replace
from datetime import timedelta

import pytest

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck, HttpCheck
from promoter.model.errors import CallerError, Interrupted, Refused, StartError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.service import Attachment, Service
from promoter.pipeline.model import OnFailure
from promoter.promotion.ports.container import Container, ContainerSpec
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.results import Decision, Status, exit_code
from promoter.usecases.context import find_release
from tests.documents import objects_at, value_at
from tests.fakes.engine import Behaviour
from tests.harness import TEST, WEB, WORKER, Harness, image, statuses

ANY = Approval()


def test_a_run_goes_through_all_environments_and_records_what_runs() -> None:
    shop = Harness()
    result = shop.run()
    assert statuses(result) == {"dev": "deployed", "test": "deployed", "prod": "deployed"}
    assert (result.decision, exit_code(result.decision), result.reason_code) == (Decision.COMPLETE, 0, ReasonCode.OK)
    assert {box.name for box in shop.engine.boxes.values()} == {"shop-dev-web", "shop-test-web", "shop-prod-web"}
    promoted = [f for f in shop.store.read() if f.kind == "promoted"]
    assert [value_at(f.body, "services", "web", "digest") for f in promoted] == [str(image("web").digest)] * 3
    assert shop.kinds("dev") == ["requested", "started", "promoted"]


def test_containers_have_the_documented_labels() -> None:
    shop = Harness()
    shop.run("dev")
    labels = shop.engine.box("shop-dev-web").spec.labels
    assert labels["dev.promoter.pipeline"] == "shop"
    assert labels["dev.promoter.environment"] == "dev"
    assert labels["dev.promoter.service"] == "web"
    assert labels["dev.promoter.release"] == shop.release().id
    assert labels["dev.promoter.digest"] == str(image("web").digest)
    assert labels["dev.promoter.role"] == "live"
    assert len(labels["dev.promoter.promotion"]) == 16


def test_a_service_is_reachable_by_its_name_and_its_jobs_and_trials_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = {"shop-dev": Attachment(aliases=("www",))}
    shop = Harness(services={"web": WEB.model_copy(update={"networks": networks, "trial": True})})
    made = []
    original = shop.engine.create

    def noting(spec: ContainerSpec, secrets: Secrets) -> str:
        made.append((spec.name, spec.service.networks["shop-dev"].aliases))
        return original(spec, secrets)

    monkeypatch.setattr(shop.engine, "create", noting)
    shop.run("dev")
    assert made == [("shop-dev-web-trial", ()), ("shop-dev-web-next", ("www", "web"))]


def test_a_second_run_changes_nothing() -> None:
    shop = Harness()
    shop.run()
    calls, facts = len(shop.engine.verbs("create", "start", "stop", "remove", "pull")), shop.kinds()
    result = shop.run()
    assert set(statuses(result).values()) == {"unchanged"}
    assert (exit_code(result.decision), result.reason_code) == (0, ReasonCode.NOTHING_TO_DO)
    assert len(shop.engine.verbs("create", "start", "stop", "remove", "pull")) == calls
    assert shop.kinds() == facts


def test_a_stopped_container_is_started_again_and_a_removed_one_made_again() -> None:
    shop = Harness()
    shop.run()
    before = shop.engine.box("shop-dev-web").id
    shop.engine.crash("shop-dev-web")
    assert statuses(shop.run())["dev"] == "deployed"
    assert shop.engine.box("shop-dev-web").id == before
    shop.engine.remove("shop-test-web")
    assert statuses(shop.run()) == {"dev": "unchanged", "test": "deployed", "prod": "unchanged"}
    assert shop.engine.box("shop-test-web").status == "running"


def test_a_changed_configuration_is_a_promotion_of_the_same_release() -> None:
    shop = Harness()
    first = shop.run("dev")
    shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": "debug"}})
    second = shop.run("dev")
    assert statuses(second) == {"dev": "deployed"}
    assert first.release == second.release
    assert first.environments[0].plan_digest != second.environments[0].plan_digest


def test_the_old_container_is_kept_stopped_and_the_one_before_it_goes() -> None:
    shop = Harness()
    shop.run("dev")
    for word in ("two", "three"):
        shop.newer(word)
        assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert {b.name: b.status for b in shop.engine.boxes.values()} == {
        "shop-dev-web": "running",
        "shop-dev-web-previous": "exited",
    }
    assert shop.engine.box("shop-dev-web-previous").spec.image == image("web", "two")


def test_the_new_container_is_made_before_the_old_is_touched() -> None:
    shop = Harness()
    shop.run("dev")
    shop.newer("two")
    shop.engine.calls.clear()
    shop.run("dev")
    swap = [c for c in shop.engine.calls if c[0] in ("create", "rename", "stop", "start")]
    assert swap == [
        ("create", "shop-dev-web-next"),
        ("rename", "shop-dev-web", "shop-dev-web-previous"),
        ("rename", "shop-dev-web-next", "shop-dev-web"),
        ("stop", "shop-dev-web-previous"),
        ("start", "shop-dev-web"),
    ]


@pytest.mark.parametrize(
    ("behaviour", "code", "message"),
    [
        (Behaviour(exit_code=3, logs="no database\n"), "start_failed", "exit code 3"),
        (Behaviour(exit_code=137, oom_killed=True), "start_failed", "ran out of memory"),
        (Behaviour(health="unhealthy"), "unhealthy", "did not become healthy"),
        (Behaviour(fails_to_start="exec: not found"), "start_failed", "exec: not found"),
    ],
)
def test_a_bad_image_is_answered_with_the_earlier_release(behaviour: Behaviour, code: str, message: str) -> None:
    shop = Harness()
    good = shop.run("dev").release
    old = shop.engine.box("shop-dev-web").id
    shop.engine.behave(shop.newer("bad").digest, behaviour)
    result = shop.run("dev")
    entry = result.environments[0]
    assert good is not None
    assert (entry.status, str(entry.code), entry.previous) == (Status.ROLLED_BACK, code, good.id)
    assert exit_code(result.decision) == 6
    assert any(message in reason for reason in entry.reasons)
    assert {b.name: (b.id, b.status) for b in shop.engine.boxes.values()} == {"shop-dev-web": (old, "running")}
    assert shop.kinds("dev")[-1] == "rolled_back"


def test_a_first_bad_image_leaves_nothing_behind() -> None:
    shop = Harness()
    shop.engine.behave(image("web").digest, Behaviour(exit_code=1, logs="boom\n"))
    result = shop.run()
    assert statuses(result) == {"dev": "failed", "test": "not_reached", "prod": "not_reached"}
    assert exit_code(result.decision) == 1
    assert shop.engine.boxes == {}
    evidence = objects_at(result.environments[0].document(), "evidence")
    assert evidence[0]["log"] == ["boom"]
    assert evidence[0]["exit_code"] == 1


def test_on_failure_stop_leaves_the_bad_container_for_inspection() -> None:
    shop = Harness(on_failure=OnFailure.STOP)
    shop.run("dev")
    shop.engine.behave(shop.newer("bad").digest, Behaviour(exit_code=1))
    result = shop.run("dev")
    assert statuses(result) == {"dev": "failed"}
    assert shop.engine.box("shop-dev-web").spec.image == image("web", "bad")


def test_after_a_rollback_the_earlier_release_is_unchanged_and_the_bad_one_is_tried_again() -> None:
    shop = Harness()
    shop.run("dev")
    good = shop.source.now
    shop.engine.behave(shop.newer("bad").digest, Behaviour(exit_code=1))
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    shop.images["web"], shop.source.now = image("web"), good
    assert statuses(shop.run("dev")) == {"dev": "unchanged"}


def test_a_failed_verification_puts_every_service_back_and_repeats_the_recorded_verification() -> None:
    check = HttpCheck(url="http://127.0.0.1:8080/", within=timedelta(seconds=2))
    shop = Harness(services={"web": WEB, "worker": WORKER}, verify=(check,))
    shop.probes.answer(check.url, 200)
    shop.run("dev")
    shop.newer("bad")
    shop.probes.answer(check.url, 500, 500, 500, 200)
    entry = shop.run("dev").environments[0]
    assert (entry.status, entry.code) == (Status.ROLLED_BACK, ReasonCode.VERIFY_FAILED)
    assert any("status 500, not 200" in reason for reason in entry.reasons)
    assert shop.engine.box("shop-dev-web").spec.image == image("web")
    assert shop.engine.box("shop-dev-worker").status == "running"


def test_what_is_put_back_and_does_not_pass_its_verification_is_a_failure_and_no_rollback() -> None:
    check = HttpCheck(url="http://127.0.0.1:8080/", within=timedelta(seconds=2))
    shop = Harness(verify=(check,))
    shop.probes.answer(check.url, 200)
    shop.run("dev")
    shop.newer("bad")
    shop.probes.answer(check.url, 500)
    result = shop.run("dev")
    entry = result.environments[0]
    assert (entry.status, entry.code, exit_code(result.decision)) == (Status.FAILED, ReasonCode.VERIFY_FAILED, 1)
    assert any("could not be restored" in reason for reason in entry.reasons)
    assert not any("proven healthy" in reason for reason in entry.reasons)
    assert shop.kinds("dev")[-1] == "failed"


def test_a_failed_before_touches_nothing() -> None:
    shop = Harness(before=(CommandCheck(run=("migrate",)),))
    shop.probes.result("migrate", 0)
    shop.run("dev")
    shop.newer("two")
    shop.probes.result("migrate", 1)
    shop.engine.calls.clear()
    entry = shop.run("dev").environments[0]
    assert (entry.status, entry.code) == (Status.FAILED, ReasonCode.CHECK_FAILED)
    assert shop.engine.verbs("create", "stop", "rename") == []
    assert any("was not changed" in reason for reason in entry.reasons)


def test_dependants_start_after_what_they_need_and_replicas_get_numbers() -> None:
    worker = Service.model_validate({**WORKER.model_dump(), "depends_on": {"web": {}}, "deploy": {"replicas": 3}})
    shop = Harness(services={"worker": worker, "web": WEB})
    shop.run("dev")
    starts = [call[1] for call in shop.engine.verbs("start")]
    assert starts == ["shop-dev-web", "shop-dev-worker", "shop-dev-worker-2", "shop-dev-worker-3"]


def test_a_service_that_the_file_no_longer_has_is_removed_at_the_end() -> None:
    shop = Harness(services={"web": WEB, "worker": WORKER})
    shop.run("dev")
    del shop.services["worker"]
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert not [b for b in shop.engine.boxes.values() if "worker" in b.name]


def test_what_the_last_step_removed_comes_back_with_its_data_if_the_promotion_fails_then() -> None:
    """Nothing else was changed: the file has one service and one replica less."""
    three = Service.model_validate({**WEB.model_dump(), "deploy": {"replicas": 3}})
    worker = Service.model_validate({**WORKER.model_dump(), "volumes": [{"type": "volume", "target": "/data"}]})
    shop = Harness(services={"web": three, "worker": worker})
    for word in ("one", "two", "three"):
        shop.newer(word)
        shop.run("dev")
    data = shop.engine.box("shop-dev-worker").anonymous
    assert data
    shop.services = {"web": Service.model_validate({**WEB.model_dump(), "deploy": {"replicas": 2}})}
    shop.engine.fail("remove_image", StartError("the disk is full"))
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert {b.name for b in shop.engine.boxes.values() if b.status == "running"} == {
        "shop-dev-web",
        "shop-dev-web-2",
        "shop-dev-web-3",
        "shop-dev-worker",
    }
    assert shop.engine.box("shop-dev-worker").anonymous == data


# ---------------------------------------------------------------- gates and votes
def test_a_closed_gate_ends_the_run_and_requests_approval_of_the_whole_plan() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    result = shop.run()
    assert statuses(result) == {"dev": "deployed", "test": "deployed", "prod": "pending"}
    assert (exit_code(result.decision), result.reason_code) == (3, ReasonCode.APPROVALS_MISSING)
    asked = [f for f in shop.store.read() if f.kind == "requested" and f.environment == "prod"]
    assert len(asked) == 1
    assert asked[0].body["plan_digest"] == result.environments[2].plan_digest
    assert value_at(asked[0].body, "plan", "services", "web", "healthcheck", "test") == list(TEST)
    shop.run()
    assert len([f for f in shop.store.read() if f.kind == "requested" and f.environment == "prod"]) == 1


def test_an_approval_lets_the_same_plan_in_once() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", "fine")
    result = shop.api().promote(None, None, None)
    assert statuses(result) == {"dev": "unchanged", "test": "unchanged", "prod": "deployed"}
    started = next(f for f in shop.store.read() if f.kind == "started" and f.environment == "prod")
    approved = next(f for f in shop.store.read() if f.kind == "approved")
    assert started.body["approvals"] == [approved.digest]
    shop.newer("two")
    assert statuses(shop.run())["prod"] == "pending"


def test_a_used_approval_does_not_let_a_failed_promotion_in_again() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.engine.behave(image("web").digest, Behaviour())
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.engine.fail("create", StartError("no space left on device"))
    assert statuses(shop.api().promote(None, None, None))["prod"] == "failed"
    again = shop.api().promote(None, None, None)
    assert (again.decision, again.reason_code) == (Decision.PENDING, ReasonCode.APPROVAL_USED)


def test_a_changed_configuration_makes_an_approval_stale() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": "debug"}})
    result = shop.api().promote(None, None, None)
    assert (result.decision, exit_code(result.decision), result.reason_code) == (Decision.REFUSED, 4, ReasonCode.APPROVAL_STALE)
    case = shop.api("ben@example.com").case("prod", None)
    api = shop.api("ben@example.com")
    api.vote(case, "approve", None)
    assert statuses(shop.api().promote(None, None, None))["prod"] == "deployed"


def test_changed_gates_make_an_approval_stale() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.gates["prod"] = (Approval(exclude=("author",)),)
    assert shop.api().promote(None, None, None).reason_code is ReasonCode.POLICY_CHANGED


def test_a_reject_refuses_until_the_plan_changes() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "reject", "not today")
    result = shop.api().promote(None, None, None)
    assert (exit_code(result.decision), result.reason_code) == (4, ReasonCode.REJECTED)
    other = shop.api("ana@example.com")
    case = other.case("prod", None)
    with pytest.raises(Refused, match="not today"):
        other.vote(case, "approve", None)
    shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": "debug"}})
    assert shop.api().promote(None, None, None).reason_code is ReasonCode.APPROVALS_MISSING


def test_a_vote_without_permission_is_refused_at_once() -> None:
    gate = Approval.model_validate({"from": ["managers"], "exclude": ["requester"]})
    shop = Harness(gates={"prod": (gate,)}, roles={"managers": ("ana@example.com", "ann@example.com")})
    shop.run()
    for actor, code in (("mallory@example.com", ReasonCode.ROLE_MISSING), ("ann@example.com", ReasonCode.SELF_APPROVAL)):
        api = shop.api(actor)
        case = api.case("prod", None)
        with pytest.raises(Refused) as refusal:
            api.vote(case, "approve", None)
        assert refusal.value.reason_code is code
    assert "approved" not in shop.kinds()


def test_nothing_to_vote_on_is_a_caller_error() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api()
    with pytest.raises(CallerError, match="nothing waits for approval in dev"):
        api.case("dev", None)
    with pytest.raises(CallerError, match="has no environment") as fault:
        api.case("prd", None)
    assert fault.value.hint == "did you mean 'prod'?"


def test_an_http_gate_waits_and_opens() -> None:
    gate = HttpCheck(url="http://status.example.com/ok", within=timedelta(seconds=1))
    shop = Harness(gates={"prod": (gate, ANY)})
    shop.probes.answer(gate.url, 503)
    result = shop.run()
    assert (result.reason_code, exit_code(result.decision)) == (ReasonCode.CHECK_FAILED, 3)
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.probes.answer(gate.url, 200)
    assert statuses(shop.api().promote(None, None, None))["prod"] == "deployed"


def test_wait_holds_on_until_the_gate_opens_or_the_time_is_over() -> None:
    gate = HttpCheck(url="http://status.example.com/ok", within=timedelta(seconds=0))
    shop = Harness(gates={"dev": (gate,)})
    shop.probes.answer(gate.url, 503, 503, 503, 200)
    assert statuses(shop.run("dev", timedelta(minutes=1))) == {"dev": "deployed"}
    shop.newer("two")
    shop.probes.answer(gate.url, 503)
    before = shop.clock.now()
    assert statuses(shop.run("dev", timedelta(seconds=30))) == {"dev": "pending"}
    assert timedelta(seconds=30) <= shop.clock.now() - before < timedelta(seconds=40)


# ---------------------------------------------------------------- order, rollback, pins, leases
def test_promote_to_an_environment_brings_the_release_through_what_it_needs() -> None:
    shop = Harness()
    shop.api().build()
    assert statuses(shop.api().promote(None, "test", None)) == {"dev": "deployed", "test": "deployed"}


def test_promoting_an_older_release_on_does_not_push_it_back_into_environments_that_moved_on() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    old = shop.run().release
    shop.newer("two")
    shop.run()
    assert old is not None
    result = shop.api().promote(old.short_id, None, None)
    assert statuses(result) == {"dev": "unchanged", "test": "unchanged", "prod": "refused"}
    assert result.environments[-1].code == ReasonCode.SUPERSEDED
    assert shop.engine.box("shop-dev-web").spec.image == image("web", "two")


def test_rollback_goes_to_the_last_verified_release_and_pins() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    first = shop.run().release
    for api in [shop.api("ben@example.com")]:
        api.vote(api.case("prod", None), "approve", None)
    shop.api().promote(None, None, None)
    shop.newer("two")
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    shop.api().promote(None, None, None)
    result = shop.api().rollback("prod", None, None)
    assert statuses(result) == {"prod": "deployed"}
    assert result.release == first
    assert shop.engine.box("shop-prod-web").spec.image == image("web")
    shop.newer("three")
    blocked = shop.run()
    assert (statuses(blocked)["prod"], blocked.reason_code) == ("pending", ReasonCode.PINNED)
    shop.api().unpin("prod", "fixed")
    assert shop.run().reason_code is ReasonCode.APPROVALS_MISSING


def test_a_rollback_to_a_release_that_never_ran_is_a_caller_error() -> None:
    shop = Harness()
    shop.run("dev")
    with pytest.raises(CallerError, match="no earlier verified release"):
        shop.api().rollback("dev", None, None)
    with pytest.raises(CallerError, match="never verified in prod"):
        shop.api().rollback("prod", shop.release().short_id, None)


def test_another_run_that_holds_the_environment_is_named() -> None:
    shop = Harness()
    shop.store.acquire("dev", "somebody else", timedelta(minutes=1), shop.clock.now())
    result = shop.run()
    assert (exit_code(result.decision), result.reason_code) == (5, ReasonCode.LOCK_HELD)
    assert any("somebody else" in reason for reason in result.environments[0].reasons)
    assert shop.engine.boxes == {}


def test_a_stale_lease_is_taken_over_and_this_is_recorded() -> None:
    shop = Harness()
    shop.store.acquire("dev", "a dead process", timedelta(minutes=1), shop.clock.now())
    shop.clock.advance(timedelta(minutes=2))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    started = next(f for f in shop.store.read() if f.kind == "started")
    assert value_at(started.body, "lease", "took_over") == "a dead process"


def test_environments_without_common_needs_go_side_by_side_and_a_failure_stops_only_its_own() -> None:
    shop = Harness(names={"dev": (), "eu": ("dev",), "us": ("dev",), "all": ("eu", "us")}, gates={"eu": (ANY,)})
    assert statuses(shop.run()) == {"dev": "deployed", "eu": "pending", "us": "deployed", "all": "not_reached"}


# ---------------------------------------------------------------- interruptions
def test_an_interrupted_replacement_is_put_back() -> None:
    shop = Harness()
    shop.run("dev")
    old = shop.engine.box("shop-dev-web").id
    shop.engine.behave(shop.newer("two").digest, Behaviour(health="starting", failing_probes=10**6))
    shop.clock.interrupt_after = len(shop.clock.sleeps) + 2
    result = shop.run("dev")
    assert (result.decision, exit_code(result.decision)) == (Decision.INTERRUPTED, 130)
    assert (shop.engine.box("shop-dev-web").id, shop.engine.box("shop-dev-web").status) == (old, "running")
    assert shop.kinds("dev")[-1] == "rolled_back"


class Killed(BaseException):
    """The process is killed: nothing is caught, nothing is cleaned up."""


@pytest.mark.parametrize("verb", ["create", "rename", "stop", "start", "exec"])
@pytest.mark.parametrize("same", [True, False])
def test_an_interrupted_run_is_continued_or_rolled_back(verb: str, same: bool) -> None:
    """The next run finds what was done before the interruption. With the same plan it continues, otherwise it starts again."""
    shop = Harness()
    shop.run("dev")
    shop.newer("two")
    shop.engine.fail(verb, Killed())
    with pytest.raises(Killed):
        shop.run("dev")
    shop.clock.advance(timedelta(minutes=1))
    wanted = image("web", "two") if same else shop.newer("three")
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    running = [b for b in shop.engine.boxes.values() if b.status == "running"]
    assert [(b.name, b.spec.image) for b in running] == [("shop-dev-web", wanted)]
    assert shop.engine.box("shop-dev-web-previous").spec.image == image("web")
    assert len(shop.engine.boxes) == 2


def test_a_finished_before_check_is_not_repeated_when_the_run_continues() -> None:
    shop = Harness(before=(CommandCheck(run=("migrate",)),))
    shop.probes.result("migrate", 0)
    shop.engine.fail("start", Killed())
    with pytest.raises(Killed):
        shop.run("dev")
    shop.clock.advance(timedelta(minutes=1))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert len(shop.probes.commands) == 1


# ---------------------------------------------------------------- reading commands
def test_plan_changes_nothing_and_shows_what_would_be_done() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run("dev")
    shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": "debug"}})
    facts, calls = shop.kinds(), shop.engine.verbs("create", "start", "stop", "pull")
    document = shop.api().plan(None, None).document()
    dev, _, prod = objects_at(document, "environments")
    assert dev["changes"] == [{"path": "services.web.environment.LEVEL", "from": None, "to": "debug", "change": "added"}]
    assert [step["id"] for step in objects_at(prod, "steps")] == ["pull web", "replace web", "retire"]
    assert value_at(prod, "gates", 0, "reason_code") == "approvals_missing"
    assert (shop.kinds(), shop.engine.verbs("create", "start", "stop", "pull")) == (facts, calls)


def test_status_shows_releases_health_and_waiting_promotions() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    shop.engine.crash("shop-test-web")
    document = shop.api().status().document()
    dev, test, prod = objects_at(document, "environments")
    assert (dev["health"], test["health"], prod["health"]) == ("healthy", "stopped", None)
    assert value_at(dev, "release", "id") == shop.release().id
    assert value_at(prod, "waiting", "reason_code") == "approvals_missing"
    assert (prod["release"], prod["pinned"], prod["frozen"]) == (None, False, False)


def test_status_shows_votes_given_after_the_last_run() -> None:
    shop = Harness(gates={"prod": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)
    waiting = shop.api().status().environments[-1].waiting
    assert waiting is not None and waiting.reason_code == "ok"
    assert waiting.reasons == (f"all gates are open: `promoter promote {waiting.release[:12]} --to prod`",)


def test_diff_names_images_and_configuration() -> None:
    shop = Harness(gates={"test": (ANY,)})
    shop.run()
    api = shop.api("ben@example.com")
    api.vote(api.case("test", None), "approve", None)
    shop.api().promote(None, "test", None)
    shop.newer("two")
    shop.run()
    found = shop.api().diff("test", "dev")
    assert found["images"] == [{"service": "web", "left": str(image("web").digest), "right": str(image("web", "two").digest)}]


def test_a_release_is_found_by_a_unique_prefix() -> None:
    shop = Harness()
    release = shop.run("dev").release
    assert release is not None
    assert find_release(shop.api().context, release.id[:6]) == release
    with pytest.raises(CallerError, match="no release begins with"):
        find_release(shop.api().context, "zzz")
    with pytest.raises(CallerError) as error:
        find_release(shop.api().context, "prod")
    assert "--to prod" in (error.value.hint or "")


def test_an_interruption_before_the_first_step_changes_nothing() -> None:
    shop = Harness()
    shop.clock.interrupt()
    with pytest.raises(Interrupted):
        shop.run()
    assert shop.engine.boxes == {}


def test_a_running_container_with_another_digest_is_never_called_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Harness()
    shop.run("dev")
    shop.newer("two")
    original = shop.engine.create

    def swapped_bytes(spec: ContainerSpec, secrets: Secrets) -> str:
        identifier = original(spec, secrets)
        shop.engine.box(identifier).digest = image("web", "evil").digest
        return identifier

    monkeypatch.setattr(shop.engine, "create", swapped_bytes)
    entry = shop.run("dev").environments[0]
    assert (entry.status, entry.code) == (Status.ROLLED_BACK, ReasonCode.DIGEST_MISMATCH)


def test_a_trial_that_fails_costs_the_old_no_downtime() -> None:
    shop = Harness()
    shop.run("dev")
    shop.services["web"] = WEB.model_copy(update={"trial": True})
    shop.engine.behave(shop.newer("bad").digest, Behaviour(exit_code=1))
    shop.engine.calls.clear()
    entry = shop.run("dev").environments[0]
    assert entry.status is Status.ROLLED_BACK
    assert ("stop", "shop-dev-web") not in shop.engine.calls
    assert [b.name for b in shop.engine.boxes.values()] == ["shop-dev-web"]


def test_the_plan_contains_only_names_and_hashes_of_secrets() -> None:
    shop = Harness()
    shop.secrets.values["DB"] = "hunter2-hunter2"
    shop.services["web"] = WEB.model_copy(update={"environment": {"URL": "pg://{{ secret('DB') }}@db"}})
    shop.run("dev")
    assert shop.engine.box("shop-dev-web").environment == {"URL": "pg://hunter2-hunter2@db"}
    text = b"".join(shop.store.lines()).decode()
    assert "hunter2" not in text
    assert "secret('DB')" in text
    shop.secrets.values["DB"] = "changed-changed"
    assert statuses(shop.run("dev")) == {"dev": "deployed"}


def test_another_engine_at_the_same_address_is_refused_until_confirmed() -> None:
    shop = Harness()
    shop.run("dev")
    shop.engine.fingerprint = "another"
    shop.engine.calls.clear()
    refused = shop.run("dev")
    assert (exit_code(refused.decision), refused.reason_code) == (4, ReasonCode.POLICY_CHANGED)
    assert "PROMOTER_ACCEPT_ENGINE=dev" in refused.environments[0].reasons[0]
    assert shop.engine.verbs("create", "start", "stop", "remove") == []
    api = shop.api()
    api.context.accept_engine = ("dev",)
    shop.engine.boxes.clear()
    assert statuses(api.run("dev", None)) == {"dev": "deployed"}
    assert statuses(shop.run("dev")) == {"dev": "unchanged"}


def test_images_that_no_environment_uses_any_more_are_removed() -> None:
    shop = Harness(names={"dev": (), "test": ("dev",)}, gates={"test": (ANY,)})
    shop.run()
    for word in ("two", "three", "four"):
        shop.newer(word)
        shop.run()
    held = {ref.digest for ref in shop.engine.held}
    assert held == {image("web", "three").digest, image("web", "four").digest}


def test_a_ledger_of_another_pipeline_is_refused() -> None:
    shop = Harness()
    shop.run("dev")
    shop.name = "other"
    api = shop.api()
    with pytest.raises(CallerError, match="belongs to pipeline shop, not to other"):
        api.promote(None, None, None)


def test_d2_plan_names_data_that_no_volume_has_a_name_for() -> None:
    shop = Harness()
    shop.engine.behave(image("web").digest, Behaviour(volumes=("/var/lib/data",)))
    shop.run("dev")
    planned = shop.api().plan(None, "dev").environments[0]
    assert planned.details["unnamed_volumes"] == {"web": ["/var/lib/data"]}


def test_break_16_a_container_that_is_being_removed_is_waited_for_before_the_earlier_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = Harness()
    shop.run("dev")
    old = shop.engine.box("shop-dev-web").id
    shop.engine.behave(shop.newer("bad").digest, Behaviour(exit_code=3))
    inspect, failing_probes = shop.engine.inspect, []

    def removing(reference: str) -> Container | None:
        """Remove the new container from outside right after it has failed."""
        seen = inspect(reference)
        if seen is None or seen.status != "exited" or seen.id == old:
            return seen
        failing_probes.append(reference)
        if len(failing_probes) > 3:
            shop.engine.remove(seen.id)
        return replace(seen, status="removing")

    monkeypatch.setattr(shop.engine, "inspect", removing)
    entry = shop.run("dev").environments[0]
    assert (entry.status, shop.engine.box("shop-dev-web").id) == (Status.ROLLED_BACK, old)
    assert shop.engine.box("shop-dev-web").status == "running"
