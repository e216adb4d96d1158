from pathlib import Path

import pytest

from promoter.adapters.builders.context import is_remote, platform_of, refuse_context
from promoter.model.images import Repository
from promoter.pipeline.compose.build import Build
from promoter.promotion.ports.builder import BuildRequest


def request(directory: Path, platform: str | None = None, **build: object) -> BuildRequest:
    return BuildRequest("web", Build(**build), directory, Repository("127.0.0.1:5000", "web"), "v1", {}, platform)


def test_what_is_there_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").touch()
    (tmp_path / "other").touch()
    assert refuse_context(request(tmp_path, context="web")) is None
    assert refuse_context(request(tmp_path, context="web", dockerfile="../other")) is None
    assert refuse_context(request(tmp_path, context="web", dockerfile=str(tmp_path / "other"))) is None
    assert refuse_context(request(tmp_path, dockerfile_inline="FROM scratch")) is None


def test_a_missing_context(tmp_path: Path) -> None:
    why = refuse_context(request(tmp_path, context="web"))
    assert why is not None and str(tmp_path / "web") in why and "does not exist" in why and "build.context" in why


def test_a_context_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "web").touch()
    assert "is not a directory" in str(refuse_context(request(tmp_path, context="web")))


def test_a_missing_dockerfile(tmp_path: Path) -> None:
    why = str(refuse_context(request(tmp_path, dockerfile="Other")))
    assert str(tmp_path / "Other") in why and "build.dockerfile" in why


def test_a_dockerfile_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").mkdir()
    assert "is a directory" in str(refuse_context(request(tmp_path)))


def test_one_platform_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    assert "2 platforms" in str(refuse_context(request(tmp_path, platforms=("linux/amd64", "linux/arm64"))))
    assert "2 platforms" in str(refuse_context(request(tmp_path, "linux/arm64", platforms=("linux/amd64",))))
    assert refuse_context(request(tmp_path, "linux/amd64", platforms=("linux/amd64",))) is None
    assert platform_of(request(tmp_path, platforms=("linux/amd64",))) == "linux/amd64"


@pytest.mark.parametrize(
    ("context", "remote"),
    [
        ("https://example.com/x.git#main", True),
        ("git@example.com:x", True),
        ("ssh://x/y", True),
        (".", False),
        ("/srv/web", False),
    ],
)
def test_a_remote_context_is_recognized(tmp_path: Path, context: str, remote: bool) -> None:
    assert is_remote(request(tmp_path, context=context)) is remote
