"""The second evaluation: with the lease, on the same facts that a start would follow, and against the real state."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from promoter.api import Promoter
from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck
from promoter.gates.override import Override
from promoter.ledger.chain import Kind
from promoter.model.errors import PullError
from promoter.model.images import Digest
from promoter.model.verdict import ReasonCode
from promoter.promotion.results import EnvironmentResult
from promoter.usecases.context import find_release
from tests.harness import WEB, Harness, image

ANY = Approval()
OTHER = Digest("9" * 64)


def approve(shop: Harness) -> None:
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", None)


class Killed(BaseException):
    """The process is killed: nothing is recorded."""


def unpulled(shop: Harness, error: BaseException | None = None) -> None:
    """Remove the image from the engine, and let the next pull fail."""
    shop.engine.held.discard(image("web", "two"))
    shop.engine.fail("pull", error or PullError("the registry is away"))


def ready(override: Override | None = None) -> Harness:
    """The first release runs in prod, and the second is approved."""
    shop = Harness(override=override)
    shop.run()
    shop.gates = {"prod": (ANY,)}
    shop.newer("two")
    shop.run()
    approve(shop)
    return shop


def prod(shop: Harness) -> EnvironmentResult:
    return shop.api().promote(None, None, None).environments[-1]


# ---------------------------------------------------------------- stops at the last moment
STOPS: dict[str, tuple[Callable[[Promoter], object], ReasonCode]] = {
    "veto": (lambda api: api.veto(find_release(api.context, None).short_id, "leaks"), ReasonCode.VETOED),
    "freeze": (lambda api: api.freeze("prod", "incident"), ReasonCode.FROZEN),
    "freeze all": (lambda api: api.freeze(None, "incident"), ReasonCode.FROZEN),
    "pin": (lambda api: api.pin("prod", "watched"), ReasonCode.PINNED),
    "reject": (lambda api: api.vote(api.case("prod", None), "reject", "no"), ReasonCode.REJECTED),
}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("moment", ["before the lease", "under the lease"])
def test_a_stop_that_lands_at_the_last_moment_stops(stop: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ready()
    press, code = STOPS[stop]
    acts = iter([lambda: press(shop.api("eve@example.com"))])

    def pressed() -> bool:
        next(acts, lambda: None)()
        return True

    if moment == "before the lease":
        acquire = shop.store.acquire
        monkeypatch.setattr(shop.store, "acquire", lambda *a: (a[0] == "prod" and pressed(), acquire(*a))[1])
    else:  # after the second evaluation, right before the fact of the start
        append = shop.store.append
        monkeypatch.setattr(
            shop.store, "append", lambda draft, *a: (draft.kind is Kind.STARTED and pressed(), append(draft, *a))[1]
        )
    result = prod(shop)
    assert result.code == code
    assert shop.engine.box("shop-prod-web").spec.image == image("web")
    assert shop.kinds("prod").count("started") == 1


# ---------------------------------------------------------------- the real state
def test_a_release_that_the_registry_lost_is_refused() -> None:
    shop = ready()
    shop.registry.lost.add(image("web", "two"))
    result = prod(shop)
    assert (str(result.status), result.code) == ("refused", ReasonCode.DIGEST_MOVED)
    assert "no longer holds" in result.reasons[-1]


def test_a_replaced_container_is_detected_with_the_command_to_fix_it() -> None:
    shop = ready()
    shop.engine.box("shop-prod-web").digest = OTHER
    result = prod(shop)
    assert (str(result.status), result.code) == ("refused", ReasonCode.DIGEST_MOVED)
    first = next(iter(shop.api().context.ledger.state.releases))
    assert str(OTHER) in result.reasons[-1]
    assert f"promoter promote {first[:12]} --to prod" in result.reasons[-1]
    assert shop.kinds("prod").count("started") == 1


def test_one_under_its_name_without_its_labels_is_noticed_too() -> None:
    shop = ready()
    box = shop.engine.box("shop-prod-web")
    shop.engine.remove(box.id)
    made = shop.engine.create(box.spec, shop.secrets)
    shop.engine.rename(made, "shop-prod-web")
    shop.engine.start(made)
    shop.engine.boxes[made].digest = OTHER
    object.__setattr__(shop.engine.boxes[made].spec, "labels", {})
    assert prod(shop).code == ReasonCode.DIGEST_MOVED


@pytest.mark.parametrize("gone", [True, False])
def test_one_that_stopped_or_is_gone_has_not_moved(gone: bool) -> None:
    shop = ready()
    box = shop.engine.box("shop-prod-web")
    shop.engine.crash("shop-prod-web")
    box.digest = OTHER
    if gone:
        shop.engine.remove(box.id)
    assert prod(shop).status == "deployed"


def test_an_environment_without_gates_repairs_itself() -> None:
    shop = Harness()
    shop.run()
    shop.newer("two")
    shop.engine.box("shop-prod-web").digest = OTHER
    shop.registry.lost.add(image("web", "two"))
    assert shop.run().environments[-1].status == "deployed"


def test_emergencies_are_not_held_up_by_it() -> None:
    shop = ready()
    shop.gates = {}
    shop.run()
    shop.gates = {"prod": (ANY,)}
    shop.engine.box("shop-prod-web").digest = OTHER
    assert shop.api().rollback("prod", None, None).environments[0].status == "deployed"
    shop = ready(override=Override.model_validate({"from": ["eve@example.com"], "grade": "asserted"}))
    shop.gates = {"prod": (Approval(min=2),)}
    shop.run()
    api = shop.api("eve@example.com")
    api.override(api.case("prod", None), "down")
    shop.engine.box("shop-prod-web").digest = OTHER
    assert prod(shop).code == ReasonCode.OVERRIDDEN


# ---------------------------------------------------------------- checks
def test_a_check_that_passed_is_not_repeated_each_second_and_never_believed_for_long() -> None:
    shop = Harness()
    shop.run()
    shop.gates = {"prod": (CommandCheck(run=("ready",)), ANY)}
    shop.probes.result("ready", 0)
    shop.newer("two")
    shop.run(wait=timedelta(seconds=150))
    assert 3 <= len(shop.probes.commands) <= 4
    assert len(shop.clock.sleeps) > 100


def test_a_check_that_failed_during_the_wait_closes_the_gate() -> None:
    shop = Harness()
    shop.run()
    shop.gates = {"prod": (CommandCheck(run=("ready",)), ANY)}
    shop.probes.result("ready", 0)
    shop.newer("two")
    shop.run()
    shop.probes.result("ready", 1)
    late = shop.api()
    shop.clock.meanwhile = [lambda: approve(shop)]
    result = late.promote(None, None, timedelta(seconds=5)).environments[-1]
    assert result.code == ReasonCode.CHECK_FAILED


# ---------------------------------------------------------------- votes of a try without changes
def test_a_vote_counts_again_when_the_try_that_used_it_touched_nothing() -> None:
    shop = ready()
    unpulled(shop)
    assert prod(shop).code == ReasonCode.PULL_FAILED
    failed = [fact for fact in shop.store.read() if fact.kind is Kind.FAILED][-1]
    assert failed.body["touched"] is False
    assert prod(shop).status == "deployed"


def test_it_does_not_when_the_plan_changed_or_its_time_is_over() -> None:
    for change in ("plan", "time"):
        shop = Harness()
        shop.run()
        shop.gates = {"prod": (Approval(expires=timedelta(hours=1)),)}
        shop.newer("two")
        shop.run()
        approve(shop)
        unpulled(shop)
        prod(shop)
        if change == "plan":
            shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": "debug"}})
            shop.run()
        else:
            shop.clock.advance(timedelta(hours=2))
        assert prod(shop).code == (ReasonCode.APPROVALS_MISSING if change == "plan" else ReasonCode.APPROVAL_EXPIRED)


def test_a_try_that_began_to_change_the_environment_has_used_it_up() -> None:
    shop = ready()
    shop.engine.fail("create", PullError("no space left"))
    prod(shop)
    ended = [fact for fact in shop.store.read() if fact.kind in (Kind.FAILED, Kind.ROLLED_BACK)][-1]
    assert ended.body["touched"] is True
    assert prod(shop).code == ReasonCode.APPROVAL_USED


def test_a_before_step_touches_the_environment() -> None:
    shop = ready()
    shop.before = (CommandCheck(run=("migrate",)),)
    shop.probes.result("migrate", 0)
    shop.run()
    approve(shop)
    shop.probes.result("migrate", 3)
    assert prod(shop).code == ReasonCode.CHECK_FAILED
    assert "was already used by an earlier promotion" in prod(shop).reasons[-1]


def test_a_cut_off_try_is_taken_to_have_touched_it() -> None:
    shop = ready()
    unpulled(shop, Killed())
    with pytest.raises(Killed):
        prod(shop)
    shop.clock.advance(timedelta(minutes=1))
    unpulled(shop)
    assert prod(shop).code == ReasonCode.PULL_FAILED
    assert prod(shop).code == ReasonCode.APPROVAL_USED
