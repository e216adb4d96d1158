"""Killed at every point, with fakes: the next run finishes or restores, and does nothing twice.

tests/live/test_kill_matrix.py does the same to real processes. Here every single call is a point, and a run
that continues is killed again.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

import pytest

from promoter.api import Promoter
from promoter.gates.approval.rule import Approval
from promoter.gates.checks import ContainerCheck
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, check_chain
from promoter.model.verdict import ReasonCode
from promoter.promotion.results import RunResult
from promoter.usecases.context import facts_so_far
from tests.fakes.engine import Behaviour
from tests.faults.points import Dead, Points, fatal
from tests.harness import WEB, WORKER, Harness, image, statuses

TIMEOUT = timedelta(minutes=2)
LEDGER = ("append", "acquire", "renew", "release", "read")
JOB = ContainerCheck.model_validate({"service": "web", "command": ["/bin/migrate"]})
SMOKE = ContainerCheck.model_validate({"service": "web", "command": ["/bin/smoke"]})


H = TypeVar("H", bound="KillHarness")


class KillHarness(Harness):
    """A harness whose next process is killed at a point."""

    points: Points | None = None

    def killable(self, at: int | None, actor: str = "ci@example.com") -> Promoter:
        self.points = Points(at)
        return self.wrap(self.api(actor), self.points)

    def wrap(self, api: Promoter, points: Points) -> Promoter:
        engine, ledger = points.wrapped(self.engine, "engine"), points.wrapped(self.store, "ledger", LEDGER)
        registry, probes = points.wrapped(self.registry, "registry"), points.wrapped(self.probes, "probes")
        api.context.ports = replace(api.ports, engine=lambda _: engine, registry=registry, probes=probes)
        api.context.ledger.store = ledger
        return api


def run(api: Promoter) -> RunResult:
    return api.run("dev", None, TIMEOUT)


def first(harness: KillHarness) -> None:
    harness.before, harness.verify = (JOB,), (SMOKE,)


def upgrade(harness: KillHarness) -> None:
    first(harness)
    harness.run("dev")
    harness.newer("two")


def several(harness: KillHarness) -> None:
    first(harness)
    harness.services = {"web": WEB.model_copy(update={"replicas": 2, "trial": True}), "worker": WORKER}
    harness.run("dev")
    harness.newer("two")


def bad(harness: KillHarness) -> None:
    upgrade(harness)
    harness.engine.behave(harness.images["web"].digest, Behaviour(health="unhealthy"))


def broken_job(harness: KillHarness) -> None:
    upgrade(harness)
    harness.engine.behave(harness.images["web"].digest, Behaviour(job=3))


def gated(harness: KillHarness) -> None:
    upgrade(harness)
    harness.gates = {"dev": (Approval(),)}
    harness.run("dev")
    api = harness.api("ana@example.com")
    api.vote(api.case("dev", None), "approve", None)


def stopped(harness: KillHarness) -> None:
    first(harness)
    harness.run("dev")
    harness.engine.crash("shop-dev-web")


def twice(harness: KillHarness) -> None:
    upgrade(harness)
    harness.run("dev")


def three_releases(harness: KillHarness) -> None:
    first(harness)
    for word in ("one", "two", "three"):
        harness.newer(word)
        harness.run("dev")


def back(api: Promoter) -> RunResult:
    return api.rollback("dev", None, None, TIMEOUT)


def back_or_there(api: Promoter) -> RunResult:
    """Run `rollback` again to the same release, as a person does after the first one was killed."""
    return api.rollback("dev", api.context.ledger.state.environment("dev").verified.values()[0].release, None, TIMEOUT)


def promote(api: Promoter) -> RunResult:
    return api.promote(None, "dev", None, TIMEOUT)


Act = Callable[[Promoter], RunResult]
GOOD, BAD = {"deployed", "unchanged"}, {"rolled_back"}
STORIES: dict[str, tuple[Callable[[KillHarness], None], Act, Act, set[str]]] = {
    # preparation, what is killed, what the next process does, and the expected result
    "the first deployment": (first, run, run, GOOD),
    "an upgrade": (upgrade, run, run, GOOD),
    "two services, replicas, a trial": (several, run, run, GOOD),
    "an image that is never healthy": (bad, run, run, BAD),
    "a job that fails": (broken_job, run, run, {"failed"}),
    "an approved upgrade": (gated, promote, promote, GOOD),
    "a stopped container": (stopped, run, run, GOOD),
    "a rollback": (twice, back, back_or_there, GOOD),
}


def prepared(kind: Callable[[], H], before: Callable[[KillHarness], None]) -> H:
    """Return a harness on which `before` was executed. That happens once, and each point gets a copy: copies share no state."""
    template = _template(kind, before)
    locks: dict[int, object] = {id(template.engine._lock): threading.RLock(), id(template.store._lock): threading.Lock()}
    copy: H = deepcopy(template, locks)
    return copy


@cache
def _template(kind: Callable[[], H], before: Callable[[KillHarness], None]) -> H:
    harness = kind()
    before(harness)
    return harness


def points_of(name: str) -> list[str]:
    before, act, _, _ = STORIES[name]
    harness = prepared(KillHarness, before)
    act(harness.killable(None))
    assert harness.points is not None
    return harness.points.names


def killed(name: str, at: int) -> KillHarness:
    before, act, _, _ = STORIES[name]
    harness = prepared(KillHarness, before)
    harness.engine.calls.clear()
    with pytest.raises(Dead):
        act(harness.killable(at))
    return harness


@pytest.mark.parametrize("name", STORIES)
def test_the_run_after_a_kill_finishes_and_repeats_nothing(name: str) -> None:
    names = points_of(name)
    assert len(names) > 40
    for at, point in fatal(names):
        harness = killed(name, at)
        check(harness, name, f"{name}, killed {point} ({at})")


@pytest.mark.parametrize("name", STORIES)
def test_the_run_after_a_kill_may_be_killed_too(name: str) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    count = len(points_of(name))
    for _ in range(25):
        at, other = chance.randint(1, count), chance.randint(1, count)
        harness = killed(name, at)
        with suppress(Dead):
            STORIES[name][2](harness.killable(other))
        check(harness, name, f"{name}, killed at {at} and {other}, seed {seed}")


@pytest.mark.parametrize("name", ["an upgrade", "two services, replicas, a trial", "an image that is never healthy"])
def test_another_release_may_come_in_between(name: str) -> None:
    for at, point in fatal(points_of(name)):
        harness = killed(name, at)
        harness.newer("three")
        result = run(harness.api("ben@example.com"))
        where = f"{name}, killed {point} ({at}), then another release"
        assert statuses(result)["dev"] == "deployed", (where, result.environments)
        check_state(harness, where)


def test_a_rollback_that_was_killed_and_is_given_again_goes_back_once_and_pins() -> None:
    for at, point in fatal(points_of("a rollback")):
        harness = prepared(KillHarness, three_releases)
        api = harness.killable(at)
        with pytest.raises(Dead):
            back(api)
        where = f"killed {point} ({at})"
        if harness.kinds("dev")[-1] != "pinned":  # otherwise the command was complete, and a repetition goes back once more
            back(harness.api("ben@example.com"))
        check_state(harness, where)
        state = facts_so_far(harness.api("ben@example.com").context)
        dev = state.environment("dev")
        assert dev.current is not None, where
        assert state.releases[dev.current.release].release.images["web"] == image("web", "two"), where
        assert harness.kinds("dev").count("pinned") == 1, where
        harness.newer("four")
        assert harness.run("dev").environments[0].code is ReasonCode.PINNED, where


def test_an_environment_is_pinned_from_the_moment_it_was_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = KillHarness()
    twice(harness)
    append = harness.store.append

    def killable(draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
        if draft.kind is Kind.PINNED:
            raise Dead
        return append(draft, head, at)

    with monkeypatch.context() as patch:
        patch.setattr(harness.store, "append", killable)
        with pytest.raises(Dead):
            harness.api().rollback("dev", None, "orders fail")
    report = harness.api().status().environments[0]
    assert report.pinned == "orders fail"
    harness.api().unpin("dev", "mended")
    assert harness.api().status().environments[0].pinned is None


def check(harness: KillHarness, name: str, where: str) -> None:
    result = STORIES[name][2](harness.api("ben@example.com"))
    assert statuses(result)["dev"] in STORIES[name][3], (where, result.environments)
    check_state(harness, where)
    assert not list(unfinished(harness)), where
    if STORIES[name][3] is GOOD:
        harness.engine.calls.clear()
        again = STORIES[name][2](harness.api("ben@example.com"))
        assert statuses(again) == {"dev": "unchanged"}, (where, again.environments)
        assert not harness.engine.verbs("create", "start", "stop", "remove", "rename"), where


def check_state(harness: KillHarness, where: str) -> None:
    """Check for one running container for each replica, of one promotion; at most one stopped one beside it; nothing else."""
    state = facts_so_far(harness.api("eve@example.com").context).environment("dev")
    assert state.start is None, where
    assert state.current is not None, where
    boxes = {box.name: box for box in harness.engine.boxes.values()}
    names = {f"shop-dev-{name}{suffix}" for name in harness.services for suffix in _suffixes(harness, name)}
    for name in names:
        assert boxes[name].status == "running", (where, name, boxes[name].status)
    rest = {name: box.status for name, box in boxes.items() if name not in names}
    assert all(name.removesuffix("-previous") in names and status == "exited" for name, status in rest.items()), (where, rest)
    recorded = {container for running in state.current.services.values() for container in running.containers}
    assert recorded == {boxes[name].id for name in names}, where
    assert all(isinstance(fact, Fact) for fact in check_chain(harness.store.lines())), where


def _suffixes(harness: KillHarness, name: str) -> list[str]:
    return ["", *(f"-{number}" for number in range(2, harness.services[name].replicas + 1))]


def unfinished(harness: KillHarness) -> Iterator[str]:
    """Yield what was done twice: a job that had ended, a vote that two promotions used."""
    facts = list(harness.store.read())
    ended = Counter(f.body["promotion"] for f in facts if f.kind == "step_done" and "before" in str(f.body["step"]))
    yield from (f"job of {promotion}" for promotion, count in ended.items() if count > 1)
    promotions = {f.body["promotion"] for f in facts if f.kind == "started" and not f.body["mend"]}
    jobs = sum(1 for call in harness.engine.verbs("start") if "-before-" in call[1])
    if jobs > len(promotions):
        yield f"{jobs} jobs for {len(promotions)} promotions"
    users: dict[str, set[object]] = {}
    for fact in facts:
        for vote in fact.body.get("approvals") or () if fact.kind == "started" else ():
            users.setdefault(str(vote), set()).add(fact.body["promotion"])
    yield from (f"vote {vote}" for vote, used in users.items() if len(used) > 1)
