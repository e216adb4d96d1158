"""What can be started, as people spell it."""

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
def test_targets_are_read_and_written_alike(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(str(target)) == target
    assert platform_of(target) is (Platform.GITLAB if text.startswith("pipeline") else Platform.GITHUB)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write workflow:FILE"),
        ("promote.yml", "is nothing that can be started"),
        ("workflow:", "names no workflow"),
        ("workflow:promote", "names no workflow"),
        ("workflow:../promote.yml", "names no workflow"),
        ("workflow:promote.yml@", "names no workflow"),
        ("workflow:promote.yml@-x", "names no workflow"),
        ("workflow:promote.yml@a b", "names no workflow"),
        ("event:", "names no event"),
        ("event:a\nb", "names no event"),
        (f"event:{'a' * 101}", "names no event"),
        ("pipeline:", "names no branch"),
        ("pipeline:$(id)", "names no branch"),
        ("job:x", "is nothing that can be started"),
    ],
)
def test_whatever_else_stands_there_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_target(text)
