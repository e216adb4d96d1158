"""Which spellings name a job that can be started."""

import pytest

from promoter.usecases.ports.platform import Event, PipelineAt, Platform, Target, Workflow, parse_target, platform_of


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("workflow:promote.yml", Workflow("promote.yml")),
        (" workflow:promote.yaml@release/1.x ", Workflow("promote.yaml", "release/1.x")),
        ("workflow:4711@main", Workflow("4711", "main")),
        ("event:promoter", Event("promoter")),
        ("event:carry on.now", Event("carry on.now")),
        ("pipeline:main", PipelineAt("main")),
    ],
)
def test_a_target_is_written_as_it_is_read(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(str(target)) == target
    assert platform_of(target) is (Platform.GITLAB if text.startswith("pipeline") else Platform.GITHUB)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write workflow:FILE"),
        ("promote.yml", "cannot be started"),
        ("workflow:", "is not a workflow"),
        ("workflow:promote", "is not a workflow"),
        ("workflow:../promote.yml", "is not a workflow"),
        ("workflow:promote.yml@", "is not a workflow"),
        ("workflow:promote.yml@-x", "is not a workflow"),
        ("workflow:promote.yml@a b", "is not a workflow"),
        ("event:", "is not an event"),
        ("event:a\nb", "is not an event"),
        (f"event:{'a' * 101}", "is not an event"),
        ("pipeline:", "is not a branch"),
        ("pipeline:$(id)", "is not a branch"),
        ("job:x", "cannot be started"),
    ],
)
def test_an_unknown_target_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_target(text)
