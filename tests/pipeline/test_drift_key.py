"""`drift: {ignore: [...]}`: paths that the comparison ignores. No plan, vote or policy depends on them."""

from pathlib import Path

import pytest

from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release
from promoter.pipeline.loader import LoadedPipeline, load
from promoter.pipeline.policy import policy_digest
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import make_plan
from tests.pipeline.pipeline_files import GOOD, SOURCE, complaints, write

RELEASE = Release({"web": ImageRef(Repository("registry.example.com", "acme/shop/web"), Digest("ab" * 32))}, SOURCE)
IGNORE = "drift: {ignore: [services.web.environment.LEVEL, tags]}\n"


def loaded(directory: Path, head: str) -> LoadedPipeline:
    return load(write(directory, GOOD.replace("services:", f"{head}services:")), source=SOURCE, environ={})


def test_the_paths_are_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, IGNORE).pipeline.drift_ignore == ("services.web.environment.LEVEL", "tags")
    assert loaded(tmp_path, "").pipeline.drift_ignore == ()


def test_neither_plan_nor_policy_depends_on_them(tmp_path: Path) -> None:
    def digests(head: str) -> tuple[str, str]:
        file = loaded(tmp_path, head)
        environment = file.resolve("dev", SOURCE, RELEASE.id)
        plan = make_plan("shop", environment, RELEASE, lambda _: "", steps_of)
        return plan.digest, policy_digest(file.pipeline, environment)

    assert digests(IGNORE) == digests("")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("drift: {ignored: [tags]}\n", "unknown key `ignored`"),
        ('drift: {ignore: [""]}\n', "'' is not a path"),
        ("drift: {ignore: tags}\n", "ignore"),
    ],
)
def test_what_is_no_list_of_paths_is_refused(tmp_path: Path, head: str, message: str) -> None:
    found = complaints(write(tmp_path, GOOD.replace("services:", f"{head}services:")))
    assert len(found) == 1 and message in found[0][1]
