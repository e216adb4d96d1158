import os
import subprocess
from pathlib import Path

import pytest

from promoter.adapters.git.source import GitSource
from promoter.model.errors import WorldError
from promoter.model.release import Source

AUTHOR = "ana@example.com"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


def git(directory: Path, *words: str) -> str:
    who = {
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": AUTHOR,
        "GIT_COMMITTER_NAME": "Ben",
        "GIT_COMMITTER_EMAIL": "ben@example.com",
    }
    done = subprocess.run(["git", *words], cwd=directory, env=ENVIRONMENT | who, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(directory: Path, subject: str) -> str:
    with (directory / "file").open("a") as file:
        file.write(subject)
    git(directory, "add", "file")
    git(directory, "commit", "-q", "-m", subject)
    return git(directory, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path


def read_source(directory: Path, **variables: str) -> Source:
    return GitSource(ENVIRONMENT | variables).source(directory)


def test_a_clean_checkout(checkout: Path) -> None:
    sha = commit(checkout, "one")
    assert read_source(checkout) == Source(sha=sha, branch="main", dirty=False, version=sha[:7], author=AUTHOR)


def test_the_version_comes_from_tags(checkout: Path) -> None:
    commit(checkout, "one")
    git(checkout, "tag", "v1.2.0")
    assert read_source(checkout).version == "v1.2.0"
    sha = commit(checkout, "two")
    (checkout / "file").write_text("changed")
    assert read_source(checkout).version == f"v1.2.0-1-g{sha[:7]}"


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_is_dirty(checkout: Path, staged: bool) -> None:
    commit(checkout, "one")
    (checkout / "file").write_text("changed")
    if staged:
        git(checkout, "add", "file")
    assert read_source(checkout).dirty


def test_a_new_file_anywhere_in_the_repository_is_dirty(checkout: Path) -> None:
    commit(checkout, "one")
    (checkout / "deploy").mkdir()
    (checkout / "new").write_text("x")
    assert read_source(checkout / "deploy").dirty


def test_an_ignored_file_is_not(checkout: Path) -> None:
    (checkout / ".gitignore").write_text("new\n")
    git(checkout, "add", ".gitignore")
    commit(checkout, "one")
    (checkout / "new").write_text("x")
    assert not read_source(checkout).dirty


@pytest.mark.parametrize("file", [".promoter", "deploy/.promoter", "deploy/.promoter/deep"])
@pytest.mark.parametrize("tracked", [False, True])
def test_promoters_own_files_do_not_count(checkout: Path, file: str, tracked: bool) -> None:
    (checkout / file).mkdir(parents=True)
    own = checkout / file / "ledger.db"
    own.write_text("x")
    if tracked:
        git(checkout, "add", "-f", str(own))
    commit(checkout, "one")
    own.write_text("y")
    assert not read_source(checkout).dirty


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({}, None),
        ({"GITHUB_HEAD_REF": "topic", "GITHUB_REF_NAME": "7/merge"}, "topic"),
        ({"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}, "main"),
        ({"GITHUB_REF_NAME": "v1", "GITHUB_REF_TYPE": "tag"}, None),
        ({"CI_COMMIT_BRANCH": "lab", "CI_COMMIT_REF_NAME": "other"}, "lab"),
        ({"CI_COMMIT_REF_NAME": "lab"}, "lab"),
        ({"CI_COMMIT_REF_NAME": "v1", "CI_COMMIT_TAG": "v1"}, None),
        ({"BRANCH_NAME": "jenkins"}, "jenkins"),
    ],
)
def test_a_detached_head_asks_the_ci(checkout: Path, variables: dict[str, str], branch: str | None) -> None:
    sha = commit(checkout, "one")
    git(checkout, "checkout", "-q", "--detach")
    assert read_source(checkout, **variables).branch == branch
    assert read_source(checkout).sha == sha


def test_a_branch_that_is_checked_out_wins(checkout: Path) -> None:
    commit(checkout, "one")
    assert read_source(checkout, GITHUB_REF_NAME="other").branch == "main"


def test_no_commit_yet(checkout: Path) -> None:
    assert read_source(checkout) == Source(branch="main")


def test_outside_a_checkout(tmp_path: Path) -> None:
    assert read_source(tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent)) == Source()


def test_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(checkout, "one")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert GitSource({"PATH": "/nonexistent"}).source(checkout) == Source()


def test_variables_of_a_git_hook_do_not_mislead(checkout: Path) -> None:
    sha = commit(checkout, "one")
    assert read_source(checkout, GIT_DIR="/nonexistent", GIT_INDEX_FILE="/nonexistent").sha == sha


def test_a_checkout_that_git_refuses_is_an_error(checkout: Path) -> None:
    commit(checkout, "one")
    with pytest.raises(WorldError) as caught:
        read_source(checkout, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "dubious ownership" in caught.value.message
    assert caught.value.hint and "safe.directory" in caught.value.hint


def test_a_missing_directory_is_not_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="not a directory"):
        read_source(tmp_path / "nowhere")


def test_commits_between_two(checkout: Path) -> None:
    first, second, third = (commit(checkout, subject) for subject in ("one", "two", "three"))
    source = GitSource(ENVIRONMENT)
    assert source.commits(checkout, first, third) == (f"{third[:7]} three", f"{second[:7]} two")
    assert source.commits(checkout, third, third) == ()


@pytest.mark.parametrize("old", ["f" * 40, "--output=x", "main", ""])
def test_an_unknown_old_commit_gives_no_commit_count(checkout: Path, old: str) -> None:
    assert GitSource(ENVIRONMENT).commits(checkout, old, commit(checkout, "one")) is None
