"""One release on several hosts: batches, failures, hosts that do not answer, and what brings them up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from promoter.gates.checks import ContainerCheck, HttpCheck
from promoter.model.errors import CallerError, EngineError, HostUnreachable
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Rollout
from promoter.pipeline.model import OnFailure
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.plan import planned
from promoter.ui.reports.status import matrix
from promoter.ui.reports.summary import summary
from promoter.ui.reports.view import View
from promoter.usecases import drift, host_status
from promoter.usecases.drift import DRIFT_FOUND
from tests.documents import objects_at, value_at
from tests.fakes.engine import Behaviour, FakeEngine
from tests.harness import WEB, WORKER, Harness, image, statuses

THREE = ("a", "b", "c")


class Cut(FakeEngine):
    """An engine whose connection can be cut: no call reaches it. `after` cuts it when this many calls were made."""

    def __init__(self, whole: FakeEngine) -> None:
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "cut", False)
        object.__setattr__(self, "on", lambda verb, what: None)

    def __getattribute__(self, name: str) -> Any:
        if name in ("whole", "cut", "on", "__class__"):
            return object.__getattribute__(self, name)
        found = getattr(self.whole, name)
        if not callable(found):
            return found

        def called(*given: Any, **more: Any) -> Any:
            self.on(name, given)
            if self.cut:
                error = EngineError("the connection was cut")
                error.lost = True
                raise error
            return found(*given, **more)

        return called

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("cut", "on"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.whole, name, value)


def cuttable(shop: Harness, name: str) -> Cut:
    made = Cut(shop.engines[f"fake://{name}"])
    shop.engines[f"fake://{name}"] = made
    return made


@contextmanager
def hanging(shop: Harness, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let an engine hang, and give it 0.2 s to answer a command that only reads."""
    for module in (drift, host_status):
        monkeypatch.setattr(module, "DEADLINE", 0.2)
    over = Event()
    cuttable(shop, name).on = lambda verb, _: over.wait(30)
    try:
        yield
    finally:
        over.set()


def only(result: RunResult) -> EnvironmentResult:
    return result.environments[0]


def running(engine: FakeEngine, name: str = "shop-dev-web") -> str:
    """The digest of what runs under this name."""
    box = engine.box(name)
    assert box.status == "running", box
    return str(box.spec.image.digest)


def hosts(result: RunResult) -> dict[str, str]:
    return {str(value_at(one, "name")): str(value_at(one, "status")) for one in objects_at(only(result).document(), "hosts")}


def last(shop: Harness, kind: str) -> Any:
    return [fact for fact in shop.store.read() if fact.kind == kind][-1].body


# ---------------------------------------------------------------- success
def test_every_host_gets_the_release_and_the_record_names_each() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    result = shop.run("dev")
    assert (statuses(result), hosts(result)) == ({"dev": "deployed"}, dict.fromkeys(THREE, "deployed"))
    assert [running(engine) for engine in engines] == [str(image("web").digest)] * 3
    promoted = last(shop, "promoted")
    assert promoted["engine"] is None
    assert {name: one["engine"]["fingerprint"] for name, one in promoted["hosts"].items()} == {
        name: engine.fingerprint for name, engine in zip(THREE, engines, strict=True)
    }
    ids = {one["services"]["web"]["containers"][0] for one in promoted["hosts"].values()}
    assert set(promoted["services"]["web"]["containers"]) == ids
    assert len(ids) == 3
    assert not shop.engine.boxes
    assert shop.run("dev").reason_code is ReasonCode.NOTHING_TO_DO


@pytest.mark.parametrize("count", [1, 3, 10])
def test_any_number_of_hosts_gets_the_release_and_goes_back_together(count: int) -> None:
    shop = Harness(rollout=Rollout(batches=("1", "30%", "100%")))
    engines = shop.on_hosts("dev", *(f"h{number}" for number in range(count)))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    old = running(engines[0])
    shop.newer("two")
    failing(engines[-1], "two")
    assert statuses(shop.run("dev")) == {"dev": "rolled_back"}
    assert [running(engine) for engine in engines] == [old] * count


def test_hosts_are_changed_in_batches_and_all_are_asked_first() -> None:
    shop = Harness(rollout=Rollout(batches=("1", "50%", "100%")))
    engines = shop.on_hosts("dev", *"abcd")
    order: list[tuple[str, str]] = []
    for name, _ in zip("abcd", engines, strict=True):
        cuttable(shop, name).on = lambda verb, _, name=name: order.append((name, verb))
    assert shop.run("dev").decision == "complete"
    created = [name for name, verb in order if verb == "start"]
    assert (created[0], set(created[1:3]), created[3]) == ("a", {"b", "c"}, "d")
    first_change = next(index for index, (_, verb) in enumerate(order) if verb == "create")
    assert {name for name, verb in order[:first_change] if verb == "identify"} == set("abcd")
    plan = shop.api().plan(None, "dev")
    assert only(plan).document()["batches"] == [["a"], ["b", "c"], ["d"]]


def test_before_runs_once_and_container_checks_run_on_every_host() -> None:
    shop = Harness(
        before=(ContainerCheck(service="web", command=("migrate",)),),
        verify=(ContainerCheck(service="web", command=("smoke",)), HttpCheck(url="http://shop.example.com/")),
    )
    engines = shop.on_hosts("dev", *THREE)
    shop.probes.answer("http://shop.example.com/", 200)
    assert shop.run("dev").decision == "complete"
    jobs = [[call for call in engine.verbs("create") if "before" in call[1]] for engine in engines]
    assert [len(one) for one in jobs] == [1, 0, 0]
    done = [(fact.body["step"], fact.body["host"]) for fact in shop.store.read() if fact.kind == "step_done"]
    assert [host for step, host in done if step == "before 1"] == ["a"]
    assert sorted(str(host) for step, host in done if step == "verify 1") == ["a", "b", "c"]
    assert len(shop.probes.requests) == 2  # once for each batch


def test_after_the_first_batch_the_checks_are_repeated_when_the_bake_is_over() -> None:
    shop = Harness(rollout=Rollout(bake=timedelta(minutes=2)), verify=(HttpCheck(url="http://shop.example.com/"),))
    shop.on_hosts("dev", *THREE)
    shop.probes.answer("http://shop.example.com/", 200)
    before = shop.clock.now()
    assert shop.run("dev").decision == "complete"
    assert shop.clock.now() - before >= timedelta(minutes=2)
    assert len(shop.probes.requests) == 3


def test_a_container_that_ends_while_the_first_batch_bakes_ends_the_rollout() -> None:
    shop = Harness(rollout=Rollout(bake=timedelta(minutes=2)))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    shop.events.clear()
    shop.newer("two")
    ended: list[bool] = []

    def end(verb: str, _: object) -> None:
        baking = any(getattr(event, "step", "").startswith("a: monitor") for event in shop.events)
        if verb == "inspect" and baking and not ended:
            ended.append(True)
            engines[0].crash("shop-dev-web")

    cuttable(shop, "a").on = end
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert [running(engine) for engine in engines] == [old] * 3
    assert [len(engine.verbs("create")) for engine in engines[1:]] == [1, 1]  # they were never touched


# ---------------------------------------------------------------- failures
def failing(engine: FakeEngine, word: str) -> None:
    engine.behave(image("web", word).digest, Behaviour(exit_code=1))


def test_when_one_host_fails_every_host_gets_its_earlier_release_back() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    kept = [engine.box("shop-dev-web").id for engine in engines]
    shop.newer("two")
    failing(engines[2], "two")
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert [running(engine) for engine in engines] == [old] * 3
    assert [engine.box("shop-dev-web").id for engine in engines] == kept
    assert hosts(result) == dict.fromkeys(THREE, "restored")
    assert any(reason.startswith("c: shop-dev-web") for reason in only(result).reasons)
    assert set(last(shop, "rolled_back")["hosts"]) == set(THREE)
    assert shop.api().status().environments[0].health == "healthy"
    assert shop.api().drift().exit_code == 0


def test_a_failure_in_the_first_batch_leaves_the_other_hosts_alone() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    shop.newer("two")
    failing(engines[0], "two")
    result = shop.run("dev")
    assert hosts(result) == {"a": "restored", "b": "unchanged", "c": "unchanged"}
    assert [len(engine.verbs("create")) for engine in engines[1:]] == [1, 1]


def test_as_many_hosts_may_fail_as_max_failures_allows_and_they_are_behind() -> None:
    shop = Harness(rollout=Rollout(max_failures=1))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old, new = running(engines[0]), str(shop.newer("two").digest)
    failing(engines[1], "two")
    result = shop.run("dev")
    assert (statuses(result), hosts(result)) == ({"dev": "deployed"}, {"a": "deployed", "b": "behind", "c": "deployed"})
    assert [running(engine) for engine in engines] == [new, old, new]
    assert any(reason.startswith("b is behind") for reason in only(result).reasons)
    shown = shop.api().status().environments[0]
    assert [(one.name, one.behind is not None) for one in shown.hosts] == [("a", False), ("b", True), ("c", False)]
    assert shown.next == "promoter repair dev"
    engines[1].behave(image("web", "two").digest, Behaviour())
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [new] * 3
    assert not shop.api().status().environments[0].hosts[1].behind


def test_one_failure_more_than_allowed_restores_all() -> None:
    shop = Harness(rollout=Rollout(max_failures=1))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    shop.newer("two")
    failing(engines[1], "two")
    failing(engines[2], "two")
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert [running(engine) for engine in engines] == [old] * 3


def test_a_host_that_cannot_be_restored_is_named_first() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    shop.newer("two")
    failing(engines[2], "two")
    cut = cuttable(shop, "b")

    def lose(verb: str, _: object) -> None:
        cut.cut = cut.cut or (verb == "stop")

    cut.on = lose
    result = shop.run("dev")
    assert (statuses(result), hosts(result)["b"]) == ({"dev": "failed"}, "not_restored")
    assert [running(engines[0]), running(engines[2])] == [old, old]
    reasons = [reason for reason in only(result).reasons if reason.startswith("b: ")]
    assert any("`promoter repair dev` restores it" in reason for reason in reasons)
    assert last(shop, "failed")["left"] is True
    cut.cut, cut.on = False, lambda verb, what: None
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [old] * 3


def test_on_failure_stop_leaves_the_hosts_as_they_are() -> None:
    shop = Harness(on_failure=OnFailure.STOP)
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    shop.newer("two")
    failing(engines[0], "two")
    result = shop.run("dev")
    assert (statuses(result), hosts(result)["a"]) == ({"dev": "failed"}, "left")


def test_a_failed_job_before_the_switch_changes_no_host() -> None:
    shop = Harness(before=(ContainerCheck(service="web", command=("migrate",)),), rollout=Rollout(max_failures=2))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    shop.newer("two")
    engines[0].behave(image("web", "two").digest, Behaviour(job=3))
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "failed"}, ReasonCode.CHECK_FAILED)
    assert [running(engine) for engine in engines] == [old] * 3


# ---------------------------------------------------------------- hosts that do not answer
def test_a_host_that_does_not_answer_ends_the_run_before_any_is_changed() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    cuttable(shop, "c").cut = True
    with pytest.raises(HostUnreachable, match=r"host c \(fake://c\) does not answer"):
        shop.run("dev")
    assert not any(engine.boxes for engine in engines)


def test_skipped_hosts_are_behind_until_a_repair() -> None:
    shop = Harness(rollout=Rollout(unreachable="skip"))
    engines = shop.on_hosts("dev", *THREE)
    cut = cuttable(shop, "c")
    cut.cut = True
    result = shop.run("dev")
    assert (statuses(result), hosts(result)) == ({"dev": "deployed"}, {"a": "deployed", "b": "deployed", "c": "behind"})
    assert not engines[2].boxes
    assert shop.run("dev").reason_code is ReasonCode.NOTHING_TO_DO  # it still does not answer
    assert [one.health for one in shop.api().status().environments[0].hosts] == ["healthy", "healthy", "unknown"]
    cut.cut = False
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert running(engines[2]) == str(image("web").digest)
    assert shop.run("dev").reason_code is ReasonCode.NOTHING_TO_DO


def test_if_no_host_answers_nothing_is_skipped() -> None:
    shop = Harness(rollout=Rollout(unreachable="skip"))
    shop.on_hosts("dev", "a", "b")
    for name in "ab":
        cuttable(shop, name).cut = True
    with pytest.raises(HostUnreachable, match="host a"):
        shop.run("dev")


def test_a_host_that_is_cut_off_in_the_middle_and_comes_back_gets_the_release() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    new = str(shop.newer("two").digest)
    cut, once, tries = cuttable(shop, "b"), [True], list[bool]()

    def blink(verb: str, _: object) -> None:
        if verb == "start" and once:
            once.clear()
            cut.cut = True
        elif verb == "identify":
            tries.append(True)
            cut.cut = len(tries) < 3

    cut.on = blink
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [new] * 3
    assert len(tries) > 3


# ---------------------------------------------------------------- interrupted, killed, moved
def test_an_interrupted_rollout_gives_every_host_its_earlier_release_back() -> None:
    shop = Harness(rollout=Rollout(bake=timedelta(minutes=2)))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    shop.events.clear()
    shop.newer("two")

    def interrupt(verb: str, _: object) -> None:
        if verb == "inspect" and any(getattr(event, "step", "").startswith("a: monitor") for event in shop.events):
            shop.clock.interrupt()

    cuttable(shop, "a").on = interrupt
    result = shop.run("dev")
    assert only(result).status is Status.INTERRUPTED
    assert [running(engine) for engine in engines] == [old] * 3


def _kill(shop: Harness, name: str, verb: str) -> None:
    class Killed(BaseException):
        pass

    def die(called: str, _: object) -> None:
        if called == verb:
            raise Killed

    cut = cuttable(shop, name)
    cut.on = die
    with pytest.raises(Killed):
        shop.run("dev")
    cut.on = lambda verb, what: None


@pytest.mark.parametrize("verb", ["create", "stop", "start", "digest_of"])
@pytest.mark.parametrize("name", THREE)
def test_a_rollout_that_was_killed_is_finished_by_the_next_run(name: str, verb: str) -> None:
    shop = Harness(before=(ContainerCheck(service="web", command=("migrate",)),))
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    new = str(shop.newer("two").digest)
    _kill(shop, name, verb)
    shop.clock.advance(timedelta(minutes=5))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [new] * 3


def test_another_release_takes_back_what_a_killed_rollout_left() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    shop.newer("two")
    _kill(shop, "b", "digest_of")
    shop.clock.advance(timedelta(minutes=5))
    new = str(shop.newer("three").digest)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [new] * 3
    assert "failed" in shop.kinds("dev")


def test_from_one_engine_to_hosts_a_failure_brings_back_what_ran_on_the_engine() -> None:
    shop = Harness()
    shop.run("dev")
    old = running(shop.engine)
    engines = shop.on_hosts("dev", "a", "b")
    shop.engines["fake://a"] = shop.engine
    shop.newer("two")
    failing(engines[1], "two")
    result = shop.run("dev")
    assert statuses(result) == {"dev": "rolled_back"}
    assert running(shop.engine) == old
    assert not engines[1].boxes


def test_a_rollback_goes_over_all_hosts() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    old = running(engines[0])
    kept = [engine.box("shop-dev-web").id for engine in engines]
    shop.newer("two")
    shop.run("dev")
    assert statuses(shop.api().rollback("dev", None, None)) == {"dev": "deployed"}
    assert [running(engine) for engine in engines] == [old] * 3
    assert [engine.box("shop-dev-web").id for engine in engines] == kept


# ---------------------------------------------------------------- what people ask
def test_the_reports_show_batches_and_hosts_that_are_behind() -> None:
    shop = Harness(rollout=Rollout(unreachable="skip"))
    shop.on_hosts("dev", *THREE)
    cut = cuttable(shop, "c")
    cut.cut = True
    view = View(shop.clock.now())
    ran = shop.run("dev")
    text = summary(ran, view)
    assert "c is behind: the connection was cut" in text
    assert "next: promoter repair dev" in text
    cut.cut = False
    shop.newer("two")
    shop.api().build()
    assert "hosts: a; then b, c" in planned(shop.api().plan(None, "dev"), view)
    shown = matrix(shop.api().status(), view)
    assert [line.split()[0] for line in shown.splitlines() if line.startswith("    ")][:3] == list(THREE)


def test_drift_names_the_host_and_repair_changes_only_it() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    kept = engines[0].box("shop-dev-web").id
    engines[1].crash("shop-dev-web")
    report = shop.api().drift()
    assert report.exit_code == DRIFT_FOUND
    assert [(one.host, str(one.kind)) for one in report.environments[0].findings] == [("b", "stopped")]
    assert only(shop.api().plan(None, "dev")).document()["repair"] == ["b: web is stopped (exit code 1)"]
    assert statuses(shop.api().repair("dev")) == {"dev": "deployed"}
    assert engines[0].box("shop-dev-web").id == kept
    assert running(engines[1])


def test_a_host_that_does_not_answer_is_a_row_and_drift_does_not_know_it() -> None:
    shop = Harness()
    shop.on_hosts("dev", *THREE)
    shop.run("dev")
    cuttable(shop, "b").cut = True
    shown = shop.api().status().environments[0]
    assert shown.health == "unknown"
    assert [one.health for one in shown.hosts] == ["healthy", "unknown", "healthy"]
    assert shown.faults == ("host b does not answer: the connection was cut",)
    report = shop.api().drift()
    assert (report.environments[0].status, report.exit_code) == ("unknown", 1)


def test_a_host_that_hangs_holds_up_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Harness()
    shop.on_hosts("dev", *THREE)
    shop.run("dev")
    with hanging(shop, "b", monkeypatch):
        shown = shop.api().status().environments[0].hosts
        assert [one.health for one in shown] == ["healthy", "unknown", "healthy"]
        assert shown[1].faults == ("host b does not answer: no answer within 0.2 s",)
        assert shop.api().drift().environments[0].reasons == ("b: no answer within 0.2 s",)
        logs = shop.api().logs("dev")
        assert [entry.text for entry in logs if entry.source == "b"] == [
            "not shown, because the host does not answer: no answer within 0.2 s"
        ]


def test_the_only_engine_of_an_environment_may_hang_too(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Harness()
    shop.on_hosts("dev", "a")
    shop.run("dev")
    with hanging(shop, "a", monkeypatch):
        shown = shop.api().status().environments[0]
        assert (shown.health, shown.faults) == ("unknown", ("host a does not answer: no answer within 0.2 s",))
        assert shop.api().drift().environments[0].reasons == ("a: no answer within 0.2 s",)


def test_all_environments_are_asked_at_the_same_time() -> None:
    shop = Harness()
    asked = {"dev": Event(), "test": Event()}
    for name in asked:
        shop.on_hosts(name, name)
    shop.run()
    met: list[bool] = []

    def meet(name: str, other: str) -> None:
        asked[name].set()
        met.append(asked[other].wait(20))

    cuttable(shop, "dev").on = lambda *_: meet("dev", "test")
    cuttable(shop, "test").on = lambda *_: meet("test", "dev")
    assert [one.health for one in shop.api().status().environments] == ["healthy"] * 3
    assert met and all(met)


def test_another_engine_at_the_address_of_a_host_is_refused() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")
    engines[1].fingerprint = "another"
    shop.newer("two")
    result = shop.run("dev")
    assert (statuses(result), only(result).code) == ({"dev": "refused"}, ReasonCode.POLICY_CHANGED)
    assert "another engine" in only(result).reasons[0]


def test_two_names_for_one_engine_are_refused() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", "a", "b")
    engines[1].fingerprint = engines[0].fingerprint
    with pytest.raises(CallerError, match="hosts a and b have the same engine"):
        shop.run("dev")
    assert not engines[0].boxes


def test_exec_runs_on_the_wanted_host() -> None:
    shop = Harness()
    engines = shop.on_hosts("dev", *THREE)
    shop.run("dev")

    def show(stream: str, line: str) -> None: ...

    shop.api().execute("dev", "web", ["true"], show, host="b")
    assert [bool([c for c in engine.verbs("exec") if "true" in c[-1]]) for engine in engines] == [False, True, False]
    assert last(shop, "executed")["host"] == "b"
    with pytest.raises(CallerError, match="has no host 'x'"):
        shop.api().execute("dev", "web", ["true"], show, host="x")


def test_logs_come_from_every_host() -> None:
    shop = Harness()
    for engine in shop.on_hosts("dev", *THREE):
        engine.behave(image("web").digest, Behaviour(logs="ready"))
    shop.run("dev")
    assert [entry.source.split(":")[0] for entry in shop.api().logs("dev")] == list(THREE)


def test_services_without_a_host_name_read_as_before() -> None:
    shop = Harness(services={"web": WEB, "worker": WORKER})
    shop.run("dev")
    body = last(shop, "promoted")
    assert "hosts" not in body
    assert body["engine"]["fingerprint"] == shop.engine.fingerprint
