"""A run is paused for longer than its lease is valid, while another takes the environment: it must not change anything more."""

from datetime import timedelta

import pytest

from promoter.ledger.lease import TIME_TO_LIVE
from promoter.model.verdict import ReasonCode
from promoter.promotion.results import RunResult
from tests.faults.points import Pauses, edges
from tests.faults.test_kill_points import STORIES, KillHarness, check_state, points_of, prepared, run
from tests.harness import statuses

CHANGES_BUT_PULL = ("create", "start", "stop", "rename", "remove", "remove_image", "ensure_network", "exec")
CHANGES = ("pull", *CHANGES_BUT_PULL)


class PausedRun(KillHarness):
    """Records what the other run did, and what the paused run changed after it."""

    result: RunResult | None = None
    late: list[str]

    def paused(self, at: int, *, another_release: bool) -> RunResult:
        def meanwhile() -> None:
            self.clock.advance(timedelta(minutes=1))
            if another_release:
                self.newer("three")
            self.result = run(self.api("ben@example.com"))

        api = self.api("ann@example.com")
        points = Pauses(at, meanwhile)
        self.wrap(api, points)
        result = api.run("dev", None)
        self.late = points.late(CHANGES_BUT_PULL)
        return result


@pytest.mark.parametrize("another_release", [False, True])
@pytest.mark.parametrize(
    "name", ["the first deployment", "an upgrade", "two services, replicas, a trial", "an image that is never healthy"]
)
def test_it_touches_nothing_after_it_was_replaced(name: str, another_release: bool) -> None:
    tried = 0
    for at, point in edges(points_of(name)):
        if point.startswith("before engine"):
            continue  # the call was already sent: the engine has no reason to refuse it
        harness = prepared(PausedRun, STORIES[name][0])
        harness.engine.calls.clear()
        result = harness.paused(at, another_release=another_release)
        where = f"{name}, paused {point} ({at})"
        if harness.result is None:
            continue  # it did not get that far this time
        assert statuses(harness.result)["dev"] in ("deployed", "unchanged", "rolled_back"), (where, harness.result.environments)
        mine = result.environments[0]
        if mine.code is ReasonCode.LOCK_HELD:
            tried += 1
            assert not harness.late, (where, harness.late)
        else:  # it had not begun, or had ended: then it may continue, and finds what the other did
            assert str(mine.status) in ("deployed", "unchanged", "rolled_back", "pending", "refused"), (where, mine)
        check_state(harness, where)
    assert tried > 10


@pytest.mark.parametrize("name", ["the first deployment", "an upgrade", "an image that is never healthy", "a job that fails"])
def test_it_touches_nothing_after_a_clock_that_is_ahead_took_its_lease(name: str) -> None:
    """No time has passed here, and no heartbeat was necessary: the ledger is asked before each change."""
    stopped = 0
    for at, point in edges(points_of(name)):
        if point.startswith(("before engine", "before ledger")):
            continue  # the call was already sent
        harness = prepared(LostLease, STORIES[name][0])
        harness.engine.calls.clear()
        result = harness.lose_lease(at)
        where = f"{name}, robbed {point} ({at})"
        if harness.left is None or result.environments[0].code is not ReasonCode.LOCK_HELD:
            continue  # it did not get that far this time, or had ended
        stopped += 1
        assert (harness.engine.verbs(*CHANGES), len(harness.store.kept)) == harness.left, where
    assert stopped > 10


class LostLease(KillHarness):
    """What had been done, and the number of facts, when another run with a clock ahead of ours took the lease."""

    left: tuple[list[tuple[str, ...]], int] | None = None

    def lose_lease(self, at: int) -> RunResult:
        def meanwhile() -> None:
            if self.store.held():
                self.left = self.engine.verbs(*CHANGES), len(self.store.kept)
            self.store.acquire("dev", "ben@example.com", TIME_TO_LIVE, self.clock.now() + TIME_TO_LIVE * 2)

        api = self.api("ann@example.com")
        self.wrap(api, Pauses(at, meanwhile))
        return api.run("dev", None)
