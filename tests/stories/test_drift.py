"""`drift`: what differs from the record, by kind; what could not be checked; and what is recorded about it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from promoter.ledger.chain import Kind
from promoter.model.errors import CallerError, EngineError, NotInRegistry, RegistryError
from promoter.model.findings import Finding
from promoter.model.images import Digest
from promoter.pipeline.compose.service import Service
from promoter.promotion.inspection.image_findings import identities
from promoter.promotion.ports.registry import Manifest
from promoter.usecases.drift import DriftReport, EnvironmentDrift
from tests.fakes.engine import Behaviour, Box, other_digest
from tests.harness import WEB, WORKER, Harness, image

SECRET = WEB.model_copy(update={"environment": {"TOKEN": "{{ secret('TOKEN') }}", "LEVEL": "info"}})
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def shop() -> Harness:
    harness = Harness(names={"dev": ()}, services={"web": SECRET})
    harness.secrets.values["TOKEN"] = "s3cret-value"
    harness.run()
    return harness


def compared(shop: Harness, *ignore: str) -> EnvironmentDrift:
    (found,) = shop.api().drift("dev", ignore).environments
    return found


def kinds(found: EnvironmentDrift) -> dict[str, str]:
    return {finding.path: str(finding.kind) for finding in found.findings}


def only(found: EnvironmentDrift) -> Finding:
    (one,) = found.findings
    return one


def web(shop: Harness) -> Box:
    return shop.engine.box("shop-dev-web")


def by_hand(shop: Harness, name: str, service: Service, labels: Mapping[str, str]) -> Box:
    """Make a container without promoter."""
    spec = replace(web(shop).spec, name=name, service=service, labels=labels)
    identifier = shop.engine.create(spec, shop.secrets)
    shop.engine.start(identifier)
    return shop.engine.box(identifier)


def recorded(shop: Harness) -> int:
    return sum(fact.kind is Kind.DRIFTED for fact in shop.store.read())


# ---------------------------------------------------------------- no difference
def test_what_was_promoted_is_in_sync_and_nothing_is_recorded(shop: Harness) -> None:
    facts = len(list(shop.store.read()))
    found = compared(shop)
    assert (found.status, found.findings, found.reasons) == ("in_sync", (), ())
    assert len(list(shop.store.read())) == facts
    assert DriftReport("shop", (found,)).exit_code == 0


def test_an_environment_without_a_promotion_is_empty() -> None:
    found = compared(Harness(names={"dev": ()}))
    assert (found.status, DriftReport("shop", (found,)).exit_code) == ("empty", 0)


def test_a_newer_release_that_waits_is_no_drift(shop: Harness) -> None:
    shop.newer("two")
    shop.api().build()
    assert compared(shop).status == "in_sync"


def test_what_is_never_compared_is_named(shop: Harness) -> None:
    assert any("files inside containers" in note for note in compared(shop).not_compared)


def test_a_kept_container_of_an_earlier_release_is_expected(shop: Harness) -> None:
    shop.newer("two")
    shop.run()
    assert "shop-dev-web-previous" in {box.name for box in shop.engine.boxes.values()}
    assert compared(shop).status == "in_sync"


def test_a_container_that_completed_its_work_is_not_stopped() -> None:
    migrate = Service.model_validate({"image": "shop/worker"})
    app = WEB.model_copy(
        update={
            "depends_on": Service.model_validate(
                {"depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
            ).depends_on
        }
    )
    shop = Harness(names={"dev": ()}, services={"migrate": migrate, "web": app})
    shop.images["migrate"] = image("migrate", "migrate")
    shop.offer(shop.images["migrate"])
    shop.engine.behave(shop.images["migrate"].digest, Behaviour(exit_code=0))
    shop.run()
    assert compared(shop).status == "in_sync"


# ---------------------------------------------------------------- containers
def test_a_stopped_container(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web", 137)
    one = only(compared(shop))
    assert (str(one.kind), one.service, one.container, one.path) == ("stopped", "web", "shop-dev-web", "services.web.containers")
    assert (one.expected, one.found) == ("running", "exited (exit code 137)")


def test_a_missing_container(shop: Harness) -> None:
    identifier = web(shop).id
    shop.engine.remove(identifier)
    one = only(compared(shop))
    assert (str(one.kind), one.expected, one.found) == ("missing", identifier[:12], None)


def test_a_container_that_was_replaced_by_hand_is_compared_too(shop: Harness) -> None:
    old = web(shop)
    shop.engine.rename(old.id, "gone")
    changed = SECRET.model_copy(update={"environment": {"TOKEN": "{{ secret('TOKEN') }}", "LEVEL": "debug", "MORE": "hunter2"}})
    spec = replace(old.spec, name="shop-dev-web", service=changed, labels={})
    shop.engine.remove(old.id)
    new = shop.engine.create(spec, shop.secrets)
    shop.engine.start(new)
    found = compared(shop)
    assert kinds(found) == {
        "services.web.containers": "replaced",
        "services.web.environment.LEVEL": "configuration",
        "services.web.environment.MORE": "configuration",
    }
    values = {finding.path.rpartition(".")[2]: (finding.expected, finding.found) for finding in found.findings}
    assert values["LEVEL"] == ("info", "debug")
    assert values["MORE"] == (None, "set, value not shown")
    assert values["containers"] == (old.id[:12], new[:12])


def test_another_name_is_a_difference(shop: Harness) -> None:
    shop.engine.rename("shop-dev-web", "shop-dev-web-old")
    one = only(compared(shop))
    assert (one.path, one.expected, one.found) == ("services.web.container_name", "shop-dev-web", "shop-dev-web-old")


def test_an_extra_container(shop: Harness) -> None:
    by_hand(shop, "shop-dev-web-copy", SECRET, web(shop).spec.labels)
    one = only(compared(shop))
    assert (str(one.kind), one.container, one.expected) == ("extra", "shop-dev-web-copy", None)


def test_a_kept_container_that_runs_again_is_extra(shop: Harness) -> None:
    shop.newer("two")
    shop.run()
    shop.engine.start("shop-dev-web-previous")
    assert str(only(compared(shop)).kind) == "extra"


def test_an_orphaned_container(shop: Harness) -> None:
    labels = {**web(shop).spec.labels, "dev.promoter.service": "cache"}
    by_hand(shop, "shop-dev-cache", WORKER, labels)
    one = only(compared(shop))
    assert (str(one.kind), one.service, one.path) == ("orphaned", "cache", "services.cache.containers")


def test_another_image_shows_what_was_found(shop: Harness) -> None:
    other = other_digest(shop.images["web"]).digest
    web(shop).digest = other
    one = only(compared(shop))
    assert (str(one.kind), one.path, one.expected) == ("digest", "images.web", str(shop.images["web"].digest))
    assert one.found is not None and str(other) in one.found


@pytest.mark.parametrize("which", ["platform", "config"])
def test_index_platform_and_configuration_are_one_image(shop: Harness, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, platform, config = shop.images["web"], Digest("1" * 64), Digest("2" * 64)
    manifests = {
        reference: Manifest(reference.digest, INDEX, 2, None, (platform,)),
        replace(reference, digest=platform): Manifest(platform, "application/vnd.oci.image.manifest.v1+json", 2, config, ()),
    }
    monkeypatch.setattr(shop.registry, "manifest", manifests.get)
    web(shop).digest = platform if which == "platform" else config
    assert compared(shop).status == "in_sync"


def test_a_platform_that_the_registry_does_not_have_is_of_the_image_too() -> None:
    digest, platform = Digest("0" * 64), Digest("1" * 64)
    assert identities(digest, (Manifest(digest, INDEX, 2, None, (platform,)),)) == {digest, platform}


# ---------------------------------------------------------------- registry
def test_a_tag_that_was_moved(shop: Harness) -> None:
    other = other_digest(shop.images["web"])
    shop.images["web"] = other
    one = only(compared(shop))
    assert (str(one.kind), one.path, one.found) == ("tag_moved", "tags.web", str(other.digest))


def test_a_tag_that_a_newer_release_moved_is_no_drift(shop: Harness) -> None:
    shop.newer("two")
    shop.api().build()
    assert compared(shop).findings == ()


def test_a_tag_that_is_gone_is_not_compared(shop: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_: object) -> Digest:
        raise NotInRegistry("no such tag")

    monkeypatch.setattr(shop.registry, "resolve", resolve)
    found = compared(shop)
    assert found.status == "in_sync" and any("tag 1" in note for note in found.not_compared)


def test_a_manifest_that_is_gone(shop: Harness) -> None:
    shop.registry.lost.add(shop.images["web"])
    one = only(compared(shop))
    assert (str(one.kind), one.path, one.expected, one.found) == ("manifest_gone", "images.web", str(shop.images["web"]), None)


# ---------------------------------------------------------------- secrets
def test_a_secret_with_another_value(shop: Harness) -> None:
    shop.secrets.values["TOKEN"] = "another-value"
    found = compared(shop)
    assert kinds(found) == {"secrets.TOKEN": "secret_changed"}
    assert any("environment.TOKEN" in note for note in found.not_compared)


def test_a_value_from_a_secret_is_compared_and_never_shown(shop: Harness) -> None:
    web(shop).environment["TOKEN"] = "typed-by-hand"
    found = compared(shop)
    assert (only(found).path, only(found).expected) == ("services.web.environment.TOKEN", "the value of secret TOKEN")
    text = str(DriftReport("shop", (found,)).document()) + str([fact.line for fact in shop.store.read()])
    assert "typed-by-hand" not in text and "s3cret-value" not in text


def test_a_secret_that_cannot_be_read_is_not_compared(shop: Harness) -> None:
    shop.secrets.values.clear()
    web(shop).environment["TOKEN"] = "typed-by-hand"
    found = compared(shop)
    assert found.status == "in_sync"
    assert {note.partition(":")[0] for note in found.not_compared} >= {"secret TOKEN", "web"}


# ---------------------------------------------------------------- what cannot be checked
def test_an_engine_that_does_not_answer_is_unknown(shop: Harness) -> None:
    shop.engine.fail("identify", EngineError("the engine does not answer"))
    found = compared(shop)
    assert (found.status, found.findings) == ("unknown", ())
    assert "the engine does not answer" in found.reasons[0]
    assert DriftReport("shop", (found,)).exit_code == 1 and recorded(shop) == 0


def test_a_registry_that_does_not_answer_is_unknown_unless_there_is_drift(shop: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def manifest(_: object) -> Manifest:
        raise RegistryError("the registry does not answer")

    monkeypatch.setattr(shop.registry, "manifest", manifest)
    found = compared(shop)
    assert found.status == "unknown" and DriftReport("shop", (found,)).exit_code == 1
    shop.engine.crash("shop-dev-web")
    found = compared(shop)
    assert found.status == "drifted" and found.reasons and DriftReport("shop", (found,)).exit_code == 7


def test_another_engine_at_the_address_is_unknown(shop: Harness) -> None:
    shop.engine.fingerprint = "f" * 64
    found = compared(shop)
    assert found.status == "unknown" and "another engine" in found.reasons[0]


def test_a_promotion_that_has_not_ended_is_unknown(shop: Harness) -> None:
    shop.newer("two")
    shop.engine.fail("create", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        shop.run()
    found = compared(shop)
    assert found.status == "unknown" and "has not ended" in found.reasons[0]


# ---------------------------------------------------------------- ignore
@pytest.mark.parametrize(
    "pattern", ["services.web.environment.LEVEL", "web.environment", "environment.LEVEL", "services.*.environment"]
)
def test_an_ignored_path_is_left_out_and_counted(shop: Harness, pattern: str) -> None:
    web(shop).environment["LEVEL"] = "debug"
    assert compared(shop).status == "drifted"
    found = compared(shop, pattern)
    assert (found.status, found.findings, len(found.ignored)) == ("in_sync", (), 1)


def test_another_path_ignores_nothing(shop: Harness) -> None:
    web(shop).environment["LEVEL"] = "debug"
    assert compared(shop, "services.web.environment.LEV", "tags").status == "drifted"


def test_an_empty_path_and_an_unknown_environment_are_refused(shop: Harness) -> None:
    for environment, ignore in (("dev", " "), ("nowhere", "tags")):
        with pytest.raises(CallerError):
            shop.api().drift(environment, (ignore,))


# ---------------------------------------------------------------- the fact
def test_the_same_findings_are_recorded_once(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    assert [compared(shop).recorded, compared(shop).recorded] == [True, False]
    assert recorded(shop) == 1
    fact = list(shop.store.read())[-1]
    assert (fact.environment, fact.release) == ("dev", shop.release().id)
    assert [finding["kind"] for finding in fact.body["findings"]] == ["stopped"]


def test_findings_that_come_back_are_recorded_again(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    compared(shop)
    shop.engine.start("shop-dev-web")
    assert compared(shop).status == "in_sync"
    assert list(shop.store.read())[-1].body["findings"] == []
    shop.engine.crash("shop-dev-web")
    assert compared(shop).recorded


def test_other_findings_are_recorded_too(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    compared(shop)
    shop.registry.lost.add(shop.images["web"])
    assert compared(shop).recorded and recorded(shop) == 2


def test_a_partial_comparison_does_not_replace_a_complete_one(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    shop.registry.lost.add(shop.images["web"])
    assert compared(shop).recorded
    shop.engine.fail("identify", EngineError("gone"))
    found = compared(shop)
    assert kinds(found) == {"images.web": "manifest_gone"}  # the registry was asked nevertheless
    assert found.reasons and not found.recorded and recorded(shop) == 1


def test_a_repair_ends_the_recorded_drift(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    compared(shop)
    shop.api().repair("dev")
    assert compared(shop).status == "in_sync" and recorded(shop) == 1
    shop.engine.crash("shop-dev-web")
    assert compared(shop).recorded


def test_only_what_runs_there_restarts_the_stay(shop: Harness) -> None:
    before = shop.api().context.ledger.state.environment("dev").since
    shop.clock.advance(timedelta(minutes=1))
    shop.registry.lost.add(shop.images["web"])
    compared(shop)
    assert shop.api().context.ledger.state.environment("dev").since == before
    shop.clock.advance(timedelta(minutes=1))
    shop.engine.crash("shop-dev-web")
    compared(shop)
    state = shop.api().context.ledger.state.environment("dev")
    assert state.since is not None and before is not None and state.since > before


def test_a_comparison_changes_nothing_on_the_engine(shop: Harness) -> None:
    shop.engine.crash("shop-dev-web")
    shop.engine.calls.clear()
    compared(shop)
    assert {call[0] for call in shop.engine.calls} <= {"identify"}
