"""Facts about the repository with the pipeline file, read with git: a few short processes that run at the same time.

Without git or a checkout, nothing is known, and that is not an error. A checkout that git refuses to read is an error:
some approval rules exclude the author, so the author must not get lost silently.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from promoter.adapters.git.command import Answer, Git, finish
from promoter.adapters.git.named_files import files_on_disk
from promoter.adapters.git.ref_files import GitSnapshot, snapshot
from promoter.model.errors import WorldError
from promoter.model.pattern import pattern
from promoter.model.release import Source

_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ":/", ":(top,exclude,glob)**/.promoter/**")
_DESCRIBE = ("describe", "--tags", "--always")
_AUTHOR = ("-c", "log.showSignature=false", "log", "-1", "--format=%ae")
_COMMIT = pattern(r"[0-9a-f]{7,64}")
_DETACHED = "(detached)"
_UNBORN = "(initial)"
_NO_CHECKOUT = ("not a git repository", "must be run in a work tree")


class GitSource:
    """SourceControl by means of `git`."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._git = Git(environment)

    def source(self, directory: Path) -> Source:
        try:
            running = [self._git.start(directory, command) for command in (_STATUS, _DESCRIBE, _AUTHOR)]
        except (FileNotFoundError, PermissionError):
            return Source()
        status, version, author = [finish(process) for process in running]
        if status.code != 0:
            if any(sign in status.error for sign in _NO_CHECKOUT):
                return Source()
            raise _unreadable(directory, status.error)
        return self._read(status.text, version, author)

    def snapshot(self, directory: Path, ref: str) -> GitSnapshot:
        return snapshot(self._git, directory, ref)

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        return files_on_disk(self._git, directory, argv)

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        if not (_COMMIT.fullmatch(old) and _COMMIT.fullmatch(new)):
            return None
        command = ("-c", "log.showSignature=false", "log", "--no-color", "--no-decorate", "--format=%h %s", f"{old}..{new}", "--")
        log = self._git.run(directory, command)
        return tuple(log.text.splitlines()) if log.code == 0 else None

    def _read(self, status: str, version: Answer, author: Answer) -> Source:
        headers = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# "))
        dirty = any(not line.startswith("# ") for line in status.splitlines())
        sha, branch = headers.get("branch.oid"), headers.get("branch.head")
        if sha == _UNBORN:
            sha = None
        if branch == _DETACHED:
            branch = _branch_of_ci(self._git.environment)
        return Source(sha=sha, branch=branch, dirty=dirty, version=version.line, author=author.line)


def _branch_of_ci(environment: Mapping[str, str]) -> str | None:
    """Return the branch from the variables of CI, which checks out a commit instead of a branch. A tag is not a branch."""
    names = ["GITHUB_HEAD_REF"]
    if environment.get("GITHUB_REF_TYPE") != "tag":
        names.append("GITHUB_REF_NAME")
    names.append("CI_COMMIT_BRANCH")
    if not environment.get("CI_COMMIT_TAG"):
        names.append("CI_COMMIT_REF_NAME")
    names.append("BRANCH_NAME")
    return next((environment[name] for name in names if environment.get(name)), None)


def _unreadable(directory: Path, error: str) -> WorldError:
    hint = "run `git status` there to see more"
    if "dubious ownership" in error:
        hint = f"it belongs to another user; if you trust it: git config --global --add safe.directory {directory.resolve()}"
    first = next((line for line in error.splitlines() if line.startswith("fatal:")), error.strip())
    return WorldError(f"git cannot read the checkout at {directory}: {first.removeprefix('fatal: ')}", hint=hint)
