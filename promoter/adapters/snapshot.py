"""Files as a git ref has them, read from the repository without touching the checkout.

A ref is looked for among remote branches first, then local branches, then tags: git itself takes tags first, and a tag
called `origin/main` is something that whoever may push tags can make.
"""

import os
import re
from pathlib import Path

from promoter.adapters.git import Git
from promoter.model.errors import CallerError

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KINDS = ("refs/remotes", "refs/heads", "refs/tags")


class GitSnapshot:
    """Snapshot by way of `git cat-file`."""

    def __init__(self, git: Git, directory: Path, top: Path, commit: str) -> None:
        self._git, self._directory, self._top, self.commit = git, directory, top, commit

    def read(self, path: Path) -> bytes:
        """Symbolic links are followed as git has them. Raises FileNotFoundError for what the commit does not have."""
        there = Path(os.path.realpath(path.parent)) / path.name
        if not there.is_relative_to(self._top):
            return path.read_bytes()
        name = there.relative_to(self._top).as_posix()
        if "\n" in name:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        asked = f"{self.commit}:{name}\n".encode()
        answer = self._git.run(self._directory, ("cat-file", "--batch", "--follow-symlinks"), asked).output
        header, _, rest = answer.partition(b"\n")
        words = header.split(b" ")
        if len(words) != 3 or words[1] != b"blob":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return rest[: int(words[2])]


def snapshot(git: Git, directory: Path, ref: str) -> GitSnapshot:
    """Raises CallerError when there is no checkout here, or it does not have the ref."""
    if not _REF.fullmatch(ref) or ".." in ref:
        raise CallerError(f"{ref!r} is not a git ref", hint="name a protected branch, such as origin/main")
    top = git.run(directory, ("rev-parse", "--show-toplevel"))
    if top.code != 0:
        raise CallerError(
            f"the policy is held to {ref}, and {directory} is no git checkout",
            hint="promote from a checkout of the repository that has the pipeline file",
        )
    commit = _commit(git, directory, ref)
    if commit is None:
        raise CallerError(f"the policy is held to {ref}, which this checkout does not have", hint=_fetch(ref))
    return GitSnapshot(git, directory, Path(os.path.realpath(top.text)), commit)


def _commit(git: Git, directory: Path, ref: str) -> str | None:
    names = [ref] if ref.startswith("refs/") or _SHA.fullmatch(ref) else [f"{kind}/{ref}" for kind in _KINDS]
    for name in names:
        found = git.run(directory, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))
        if found.code == 0:
            return found.text
    return None


def _fetch(ref: str) -> str:
    remote, _, branch = ref.partition("/")
    if not branch or ref.startswith("refs/"):
        return f"bring it here: `git fetch origin {ref}`; in CI, check out with the whole history (fetch-depth: 0)"
    return f"bring it here: `git fetch {remote} {branch}:refs/remotes/{ref}`; in CI, check out with fetch-depth: 0"
