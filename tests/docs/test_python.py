"""The example on the page about Python runs unchanged."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks

PIPELINE = "name: shop\nservices: {web: {image: 'registry.example.com/web:1'}}\nenvironments: {dev: {}, prod: {}}\n"


def test_the_example_prints_each_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    [example] = blocks("python")
    exec(compile(example.text, str(example), "exec"), {})
    assert capsys.readouterr().out == "dev - -\nprod - -\n"
