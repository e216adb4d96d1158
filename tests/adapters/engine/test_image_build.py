import tarfile

import pytest

from promoter.adapters.engine.image_build import context_tar
from promoter.model.errors import BuildError


def names(context) -> set[str]:
    with context.tar, tarfile.open(fileobj=context.tar) as tar:
        return {entry.name for entry in tar if entry.isfile()}


@pytest.fixture
def folder(tmp_path):
    context = tmp_path / "context"
    (context / "src").mkdir(parents=True)
    for name in ("Dockerfile", "a.txt", "b.log", "src/c.log", "src/keep.log"):
        (context / name).write_text("FROM scratch")
    return context


def test_everything_goes_up(folder):
    context = context_tar(folder)
    assert context.dockerfile == "Dockerfile"
    assert names(context) == {"Dockerfile", "a.txt", "b.log", "src/c.log", "src/keep.log"}


def test_what_is_ignored_stays(folder):
    (folder / ".dockerignore").write_text("# words\n**/*.log\n\n!src/keep.log\nDockerfile\n")
    assert names(context_tar(folder)) == {".dockerignore", "Dockerfile", "a.txt", "src/keep.log"}


def test_promoters_own_records_stay_and_its_other_files_go_up(folder):
    (folder / ".promoter").mkdir()
    for name in ("ledger.db", "ledger.db-journal", "projection-1.db", "witness.json", "allowed_signers"):
        (folder / ".promoter" / name).write_text("x")
    assert {name for name in names(context_tar(folder)) if name.startswith(".promoter")} == {".promoter/allowed_signers"}


def test_an_ignore_file_of_the_dockerfiles_own_wins(folder):
    (folder / ".dockerignore").write_text("a.txt\n")
    (folder / "Dockerfile.dockerignore").write_text("b.log\n")
    assert {"a.txt"} <= names(context_tar(folder)) and "b.log" not in names(context_tar(folder))


def test_an_inline_dockerfile_needs_none_of_its_own(folder):
    (folder / "Dockerfile").unlink()
    context = context_tar(folder, inline="FROM x\n")
    with context.tar, tarfile.open(fileobj=context.tar) as tar:
        assert tar.extractfile(context.dockerfile).read() == b"FROM x\n"


def test_a_dockerfile_outside_the_context_is_sent(folder, tmp_path):
    (tmp_path / "Other").write_text("FROM y\n")
    context = context_tar(folder, "../Other")
    with context.tar, tarfile.open(fileobj=context.tar) as tar:
        assert tar.extractfile(context.dockerfile).read() == b"FROM y\n"


def test_a_dockerfile_in_a_folder_is_named_from_the_context(folder):
    (folder / "src" / "Dockerfile").write_text("FROM z\n")
    assert context_tar(folder, "./src/Dockerfile").dockerfile == "src/Dockerfile"


def test_a_missing_dockerfile_raises_an_error(folder):
    with pytest.raises(BuildError, match=r"there is no .*Nothing"):
        context_tar(folder, "Nothing")
