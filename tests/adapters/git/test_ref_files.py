"""Files at a git ref, from real repositories."""

from pathlib import Path

import pytest

from promoter.adapters.git.source import GitSource
from promoter.model.errors import CallerError
from tests.repository import ENVIRONMENT, Repository, repository

SOURCE = GitSource(ENVIRONMENT)


@pytest.fixture
def ours(tmp_path: Path) -> Repository:
    made = repository(tmp_path)
    made.write("shop/pipeline.yaml", "name: protected\n")
    made.merge()
    made.write("shop/pipeline.yaml", "name: changed\n")
    made.commit()
    return made


def read(ours: Repository, ref: str, name: str = "shop/pipeline.yaml") -> bytes:
    return SOURCE.snapshot(ours.directory / "shop", ref).read(ours.directory / name)


def test_a_remote_branch_has_its_own_text(ours: Repository) -> None:
    assert read(ours, "origin/main") == b"name: protected\n"
    assert read(ours, "work") == b"name: changed\n"
    assert read(ours, "refs/remotes/origin/main") == b"name: protected\n"
    assert read(ours, ours.git("rev-parse", "HEAD~1")) == b"name: protected\n"
    assert SOURCE.snapshot(ours.directory, "origin/main").commit == ours.git("rev-parse", "origin/main")


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_neither_a_tag_nor_a_local_branch_of_that_name_replaces_it(ours: Repository, kind: str) -> None:
    ours.git(kind, "origin/main", "HEAD")
    assert read(ours, "origin/main") == b"name: protected\n"


def test_a_tag_serves_where_it_is_what_was_named(ours: Repository) -> None:
    ours.git("tag", "-a", "-m", "for the policy", "policy-1", "HEAD~1")
    assert read(ours, "policy-1") == b"name: protected\n"
    assert SOURCE.snapshot(ours.directory, "policy-1").commit == ours.git("rev-parse", "HEAD~1")


def test_uncommitted_text_counts_nowhere(ours: Repository) -> None:
    ours.write("shop/pipeline.yaml", "name: uncommitted\n")
    assert read(ours, "work") == b"name: changed\n"


def test_symbolic_links_are_followed_within_the_commit(ours: Repository) -> None:
    (ours.directory / "shop" / "link.yaml").symlink_to("pipeline.yaml")
    ours.commit()
    assert read(ours, "work", "shop/link.yaml") == b"name: changed\n"


@pytest.mark.parametrize("name", ["../signers", "/etc/hostname", "shop/../../signers"])
def test_a_file_outside_of_the_repository_cannot_be_held(ours: Repository, tmp_path: Path, name: str) -> None:
    (tmp_path / "signers").write_text("from the disk")
    with pytest.raises(OSError, match="outside of the repository"):
        SOURCE.snapshot(ours.directory, "work").read(ours.directory / name)


def test_a_link_of_the_ref_that_leads_outside_cannot_be_held(ours: Repository, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("from the disk")
    (ours.directory / "link").symlink_to(tmp_path / "signers")
    (ours.directory / "shop" / "up").symlink_to("../../signers")
    (ours.directory / "nowhere").symlink_to("missing")
    ours.commit()
    for name in ("link", "shop/up"):
        with pytest.raises(OSError, match="outside of the repository"):
            read(ours, "work", name)
    with pytest.raises(FileNotFoundError):
        read(ours, "work", "nowhere")


def test_a_link_in_the_checkout_leads_nowhere(ours: Repository, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "pipeline.yaml").write_text("name: from the disk")
    (ours.directory / "shop" / "pipeline.yaml").unlink()
    (ours.directory / "shop").rmdir()
    (ours.directory / "shop").symlink_to(tmp_path / "outside")
    snapshot = SOURCE.snapshot(ours.directory, "origin/main")
    assert snapshot.read(ours.directory / "shop" / "pipeline.yaml") == b"name: protected\n"


def test_the_pipeline_file_may_be_named_by_way_of_its_parent(ours: Repository) -> None:
    (ours.directory / "shop" / "inner").mkdir()
    directory = ours.directory / "shop" / "inner" / ".."
    assert SOURCE.snapshot(directory, "origin/main").read(directory / "pipeline.yaml") == b"name: protected\n"


def test_words_of_a_command_name_the_same_files_at_a_ref_and_on_the_disk(ours: Repository, tmp_path: Path) -> None:
    ours.write("shop/gate.sh", "exit 0\n")
    ours.write("shop/checks/all.py", "pass\n")
    ours.write("shop/conf.yml", "a: 1\n")
    ours.write(".gitignore", "made/\n")
    (ours.directory / "shop" / "link.sh").symlink_to("gate.sh")
    ours.commit()
    ours.write("shop/made/report.json", "{}")
    shop = ours.directory / "shop"
    argv = (
        "./gate.sh",
        "sh",
        "-c",
        "python checks/all.py && ./link.sh 'x",
        "--config=conf.yml",
        "made/report.json",
        "checks",
        "http://x/y",
        "../shop/gate.sh",
        "/etc/hostname",
        "",
        "a\0b",
        "..",
        "z" * 5000,
    )
    files = SOURCE.files(shop, argv)
    assert files == SOURCE.snapshot(shop, "work").files(shop, argv)
    assert sorted(files) == ["../shop/gate.sh", "./gate.sh", "./link.sh", "checks/all.py", "conf.yml"]
    assert files["./gate.sh"] == files["./link.sh"] == files["../shop/gate.sh"] != files["conf.yml"]
    (shop / "gate.sh").unlink()
    (tmp_path / "gate.sh").write_text("exit 0\n")
    (shop / "gate.sh").symlink_to(tmp_path / "gate.sh")
    assert SOURCE.files(shop, ("./gate.sh",)) == {"./gate.sh": "outside of the repository"}
    ours.commit()
    assert SOURCE.snapshot(shop, "work").files(shop, ("./gate.sh",)) == {}


def test_without_git_every_file_counts(tmp_path: Path) -> None:
    (tmp_path / "gate.sh").write_text("exit 0\n")
    assert list(SOURCE.files(tmp_path, ("./gate.sh", "other.sh"))) == ["./gate.sh"]


@pytest.mark.parametrize("name", ["shop/nothing.yaml", "shop", "sh\nop"])
def test_what_the_commit_does_not_have_is_not_there(ours: Repository, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read(ours, "work", name)


@pytest.mark.parametrize(
    ("ref", "message", "hint"),
    [
        ("origin/master", "does not have", "git fetch origin master:refs/remotes/origin/master"),
        ("trunk", "does not have", "git fetch origin trunk"),
        ("--all", "is not a git ref", "protected branch"),
        ("a..b", "is not a git ref", "protected branch"),
        ("main@{1}", "is not a git ref", "protected branch"),
    ],
)
def test_a_missing_ref_raises_with_a_hint(ours: Repository, ref: str, message: str, hint: str) -> None:
    with pytest.raises(CallerError) as caught:
        read(ours, ref)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_shallow_clone_without_the_branch_raises_with_a_hint(ours: Repository, tmp_path: Path) -> None:
    remote = (tmp_path / "remote.git").as_uri()
    ours.git("push", "-q", "origin", "work")
    ours.git("clone", "-q", "--depth=1", "--branch=work", remote, str(tmp_path / "shallow"))
    with pytest.raises(CallerError, match="does not have") as caught:
        SOURCE.snapshot(tmp_path / "shallow", "origin/main")
    assert "fetch-depth: 0" in (caught.value.hint or "")


def test_outside_of_a_checkout_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="is not a git checkout"):
        SOURCE.snapshot(tmp_path, "origin/main")
