"""What `plan` says about requests during a promotion."""

from pathlib import Path

import pytest

from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.pipeline.loader import load
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.expected_gap import ExpectedGap, expected_gap
from promoter.promotion.plan import Plan, make_plan

FILE = """\
name: shop
services:
  web: {{image: "web:1", ports: ["8080:80"], environment: {{LEVEL: "{level}"}}, deploy: {deploy}}}
  jobs: {{image: "jobs:1", environment: {{LEVEL: "{jobs}"}}}}
environments:
  prod:
    strategy: {strategy}
"""


def plan_of(tmp_path: Path, strategy: str, level: str = "info", jobs: str = "info", deploy: str = "{}") -> Plan:
    file = tmp_path / "pipeline.yaml"
    file.write_text(FILE.format(strategy=strategy, level=level, jobs=jobs, deploy=deploy))
    loaded = load(file, source=Source(), environ={})
    digest = Digest.parse(f"sha256:{'a' * 64}")
    images = {name: ImageRef(Repository.parse(f"registry.example.com/{name}"), digest) for name in ("web", "jobs", "front")}
    release = Release(images=images, source=Source())
    return make_plan("shop", loaded.resolve("prod", Source(), release.id), release, lambda name: name, steps_of)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("recreate", ExpectedGap(down=("web", "jobs"))),
        ("start-first", ExpectedGap(down=("jobs",), none=("web",))),
        ("{hold: {max_hold: 40s}}", ExpectedGap(down=("jobs",), wait=("web",), longest="40s")),
    ],
)
def test_the_strategy_decides_whether_requests_fail(tmp_path: Path, strategy: str, expected: ExpectedGap) -> None:
    before = plan_of(tmp_path, strategy).document()
    assert expected_gap(plan_of(tmp_path, strategy, "debug", "debug"), before) == expected


@pytest.mark.parametrize(
    ("deploy", "none"),
    [
        ("{}", ()),
        ("{replicas: 3}", ("web",)),
        ("{replicas: 3, update_config: {parallelism: 2}}", ("web",)),
        ("{replicas: 3, update_config: {parallelism: 3}}", ()),
        ("{replicas: 3, update_config: {parallelism: 0}}", ()),
        ("{update_config: {order: start-first}}", ("web",)),
        ("{mode: global}", ("web",)),
        ("{mode: global, update_config: {parallelism: 0}}", ()),
    ],
)
def test_a_swarm_interrupts_what_it_stops_as_a_whole(tmp_path: Path, deploy: str, none: tuple[str, ...]) -> None:
    before = plan_of(tmp_path, "swarm", deploy=deploy).document()
    down = ("jobs",) if none else ("web", "jobs")
    assert expected_gap(plan_of(tmp_path, "swarm", "debug", "debug", deploy), before) == ExpectedGap(down=down, none=none)


def test_what_stays_and_what_is_new_interrupts_nothing(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "recreate")
    assert expected_gap(plan, plan.document()) == ExpectedGap()
    assert expected_gap(plan, None) == ExpectedGap()
    services = plan.document()["services"]
    assert isinstance(services, dict)
    assert expected_gap(plan, {**plan.document(), "services": {"web": services["web"]}}) == ExpectedGap()


def test_a_changed_front_interrupts_all_that_is_replaced(tmp_path: Path) -> None:
    before = plan_of(tmp_path, "start-first").document()
    assert expected_gap(plan_of(tmp_path, "{hold: {max_hold: 40s}}", "debug"), before) == ExpectedGap(down=("web", "front"))
