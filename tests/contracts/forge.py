"""The contract of every platform, real or fake."""

from typing import Protocol

import pytest

from promoter.model.errors import CallerError, ForgeError
from promoter.usecases.ports.platform import (
    DeploymentRecord,
    Event,
    Forge,
    ImageRecord,
    Occasion,
    PipelineAt,
    Platform,
    Target,
    Workflow,
)

OCCASION = Occasion("shop", "prod", "ab" * 32, "sha256:" + "cd" * 32)
TARGETS: dict[Platform, tuple[Target, ...]] = {
    Platform.GITHUB: (Event("promoter"), Workflow("promote.yml", "main"), Workflow("promote.yml")),
    Platform.GITLAB: (PipelineAt("main"),),
}
IMAGE = ImageRecord("registry.example.com/acme/web", "sha256:" + "ef" * 32, "1.2", "prod", "shop-prod-web")
RECORD = DeploymentRecord(
    "prod", "c" * 40, "success", "release abab serves", "ab" * 32, None, {"web": IMAGE.digest}, (IMAGE,), "https://ci/1", None
)


class ForgeSite(Protocol):
    """A platform, and what a test may do with it."""

    forge: Forge

    def review(self, user: str, decision: str, comment: str) -> None:
        """Add a person's review of this run's job for prod."""

    def started(self) -> list[tuple[str, str]]:
        """Return environment and release of every job that was started."""

    def recorded(self) -> list[tuple[str, str]]:
        """Return environment and state of every deployment record."""


class ForgeContract:
    def test_proving_it_changes_nothing(self, site: ForgeSite) -> None:
        site.forge.prove()
        assert (site.started(), site.recorded()) == ([], [])

    def test_each_of_its_targets_is_started_for_the_occasion(self, site: ForgeSite) -> None:
        for number, target in enumerate(TARGETS[site.forge.platform], 1):
            site.forge.dispatch(target, OCCASION)
            assert site.started() == [("prod", OCCASION.release)] * number

    def test_a_target_of_another_platform_is_a_wrong_question(self, site: ForgeSite) -> None:
        other = {Platform.GITHUB: PipelineAt("main"), Platform.GITLAB: Event("promoter")}[site.forge.platform]
        with pytest.raises(CallerError):
            site.forge.dispatch(other, OCCASION)
        assert site.started() == []

    def test_an_environment_without_reviews_returns_none(self, site: ForgeSite) -> None:
        assert site.forge.reviews("prod") == ()

    def test_reviews_are_the_same_each_time(self, site: ForgeSite) -> None:
        site.review("ana-dev", "approve", "looks good")
        site.review("ben-dev", "reject", "")
        first = site.forge.reviews("prod")
        assert {(one.user, one.decision, one.comment) for one in first} == {
            ("ana-dev", "approve", "looks good"),
            ("ben-dev", "reject", ""),
        }
        assert set(site.forge.reviews("prod")) == set(first)

    def test_two_reviews_of_one_person_are_different_and_the_first_is_unchanged(self, site: ForgeSite) -> None:
        site.review("ana-dev", "approve", "")
        first = site.forge.reviews("prod")
        site.review("ana-dev", "approve", "")
        both = site.forge.reviews("prod")
        assert len(set(both)) == 2 and set(first) < set(both)

    def test_a_deployment_is_recorded_or_the_platform_records_it_itself(self, site: ForgeSite) -> None:
        if site.forge.platform is Platform.GITLAB:
            with pytest.raises(ForgeError, match="itself"):
                site.forge.record(RECORD)
            with pytest.raises(ForgeError, match="itself"):
                site.forge.record_image(IMAGE)
        else:
            site.forge.record(RECORD)
            site.forge.record_image(IMAGE)
            assert site.recorded() == [("prod", "success")]
