"""Which deployment records follow from the result of a run."""

from dataclasses import dataclass, field, replace

import pytest

from promoter.api import Promoter
from promoter.model.errors import CallerError, ForgeError
from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode
from promoter.promotion.progress import Notice
from promoter.promotion.results import RunResult, Status
from promoter.usecases.deployment_record import records_of
from tests.fakes.forge import FakeForge
from tests.fakes.promoter import EARLIER, RELEASE, environment, result
from tests.harness import Harness, statuses


def test_each_environment_that_was_touched_has_a_record() -> None:
    ended = result(
        environment("dev"),
        environment("test", Status.ROLLED_BACK, ReasonCode.UNHEALTHY, "why"),
        environment("prod", Status.FAILED, ReasonCode.START_FAILED, "port\n taken\x1b[2J"),
        environment("a", Status.PENDING),
        environment("b", Status.UNCHANGED),
        environment("c", Status.NOT_REACHED),
        environment("d", Status.LOCKED),
    )
    found = records_of(ended, {"dev": "https://dev.example.com"}, {"web"}, "https://ci/1")
    assert [(one.environment, one.state, one.page, len(one.images)) for one in found] == [
        ("dev", "success", "https://dev.example.com", 1),
        ("test", "failure", None, 0),
        ("prod", "failure", None, 0),
    ]
    assert found[0].description == f"release {RELEASE.short_id} serves, with uncommitted changes"
    assert f"was rolled back: release {EARLIER.short_id} serves" in found[1].description
    assert f"release {RELEASE.short_id} failed: port taken[2J" in found[2].description
    assert {one.commit for one in found} == {RELEASE.source.sha} and {one.log for one in found} == {"https://ci/1"}


def test_only_built_images_belong_to_this_repository() -> None:
    (record,) = records_of(result(), {}, set(), None)
    assert record.images == () and list(record.digests) == ["web"]


def test_a_description_is_as_long_as_it_may_be() -> None:
    (record,) = records_of(result(environment("dev", Status.FAILED, ReasonCode.START_FAILED, "x" * 500)), {}, (), None)
    assert len(record.description) == 140 and record.description.endswith("…")


@pytest.mark.parametrize("release", [None, replace(RELEASE, source=Source())])
def test_what_comes_from_no_commit_cannot_be_recorded(release: Release | None) -> None:
    assert records_of(RunResult("shop", release, result().environments), {}, (), None) == ()


@dataclass
class DeploymentHarness(Harness):
    forge: FakeForge = field(default_factory=FakeForge)
    deployments: bool = True

    def api(self, actor: str = "ci@example.com") -> Promoter:
        api = super().api(actor)
        api.context.ports, api.context.deployments = replace(api.ports, forge=self.forge.of), self.deployments
        return api

    def notices(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, Notice)]


def test_deployments_are_posted_only_if_enabled() -> None:
    harness = DeploymentHarness(deployments=False)
    harness.run()
    assert harness.forge.records == []


def test_runs_promotions_and_rollbacks_are_recorded() -> None:
    harness = DeploymentHarness()
    harness.run(to="test")
    harness.api().promote(None, None, None)
    harness.newer("two")
    harness.run()
    harness.api().rollback("prod", None, "slow")
    assert [one.environment for one in harness.forge.records] == ["dev", "test", "prod", "dev", "test", "prod", "prod"]
    assert harness.forge.records[-1].release == harness.forge.records[2].release and not [
        output for output in harness.notices() if not output.startswith("prod: ")
    ]


@pytest.mark.parametrize("error", [ForgeError("not permitted", hint="deployments: write"), CallerError("no token")])
def test_a_failed_deployment_record_is_reported_once_and_changes_nothing(error: ForgeError) -> None:
    harness = DeploymentHarness()
    harness.forge.failing |= {"record": error, "record_image": error}
    assert set(statuses(harness.run()).values()) == {"deployed"}
    (output,) = harness.notices()
    assert output.startswith(f"no deployment record: {error.message}") and (error.hint or "") in output
