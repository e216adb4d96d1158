"""The files by which a CI gets results of a run: complete or absent, and never a reason to fail."""

from pathlib import Path

import pytest

from promoter.adapters.platforms.ci_files import append, relative, replace, size


def test_appending_keeps_what_others_wrote(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("a\n")
    assert append(str(file), "b\r\n") is None
    assert file.read_bytes() == b"a\nb\r\n"
    assert (size(str(file)), size(str(tmp_path / "none"))) == (5, 0)


def test_a_file_that_cannot_be_written_gives_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert append(str(tmp_path), "x") == "is a directory"
    assert append(str(tmp_path / "no" / "out"), "x") == "no such file or directory"
    assert replace(tmp_path / "file" / "out", b"x") == "file exists"
    assert replace(tmp_path, b"x") is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
    assert list(tmp_path.parent.glob(f".{tmp_path.name}.*")) == []


def test_a_report_is_replaced_as_a_whole_and_anybody_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.xml"
    for data in (b"one", b"two"):
        assert replace(file, data) is None
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"two", 0o644)
    assert [path.name for path in file.parent.iterdir()] == ["report.xml"]


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("ci/pipeline.yaml", "ci/pipeline.yaml"),
        ("../checkout/ci/pipeline.yaml", "ci/pipeline.yaml"),
        ("compose.yaml", "ci/compose.yaml"),
        ("../outside.yaml", None),
        ("ci", None),
        ("environment variable PROMOTER_CI", None),
    ],
)
def test_a_file_is_named_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, found: str | None) -> None:
    (tmp_path / "checkout" / "ci").mkdir(parents=True)
    for name in ("checkout/ci/pipeline.yaml", "checkout/ci/compose.yaml", "outside.yaml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "checkout")
    assert relative(file, Path("ci"), str(tmp_path / "checkout")) == found
    assert (
        relative(str(tmp_path / "checkout" / "ci" / "compose.yaml"), Path("ci"), str(tmp_path / "checkout")) == "ci/compose.yaml"
    )
    assert relative(file, Path("ci"), None) is None
