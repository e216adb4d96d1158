"""The repository that holds the pipeline file, asked through the git command line: a few short processes side by side.

No git or no checkout is an answer (nothing is known); a checkout that git refuses to read is an error, because an
approval that leaves out the author must not lose the author silently.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from promoter.model.errors import WorldError
from promoter.model.release import Source

_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal",
           "--", ":/", ":(top,exclude,glob)**/.promoter/**")  # fmt: skip
_DESCRIBE = ("describe", "--tags", "--always")
_AUTHOR = ("-c", "log.showSignature=false", "log", "-1", "--format=%ae")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DETACHED = "(detached)"
_UNBORN = "(initial)"
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
_NO_CHECKOUT = ("not a git repository", "must be run in a work tree")


class GitSource:
    """SourceControl by way of `git`."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def source(self, directory: Path) -> Source:
        try:
            running = [self._start(directory, command) for command in (_STATUS, _DESCRIBE, _AUTHOR)]
        except (FileNotFoundError, PermissionError):
            return Source()
        status, version, author = [_finish(process) for process in running]
        if status.code != 0:
            if any(sign in status.error for sign in _NO_CHECKOUT):
                return Source()
            raise _unreadable(directory, status.error)
        return self._read(status.output, version, author)

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        if not (_COMMIT.fullmatch(old) and _COMMIT.fullmatch(new)):
            return None
        command = ("-c", "log.showSignature=false", "log", "--no-color", "--no-decorate", "--format=%h %s", f"{old}..{new}", "--")
        try:
            log = _finish(self._start(directory, command))
        except (FileNotFoundError, PermissionError):
            return None
        return tuple(log.output.splitlines()) if log.code == 0 else None

    def _start(self, directory: Path, command: Sequence[str]) -> "subprocess.Popen[str]":
        if not directory.is_dir():  # Popen's FileNotFoundError would not say which of the two is missing
            raise WorldError(f"{directory} is not a directory", hint="start from the directory of the pipeline file")
        environment = {name: value for name, value in self._environment.items() if name not in _LOCAL}
        environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        return subprocess.Popen(
            ["git", *command], cwd=directory, env=environment, text=True, encoding="utf-8", errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _read(self, status: str, version: "_Answer", author: "_Answer") -> Source:
        headers = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# "))
        dirty = any(not line.startswith("# ") for line in status.splitlines())
        sha, branch = headers.get("branch.oid"), headers.get("branch.head")
        if sha == _UNBORN:
            sha = None
        if branch == _DETACHED:
            branch = _branch_of_ci(self._environment)
        return Source(sha=sha, branch=branch, dirty=dirty, version=version.line, author=author.line)


class _Answer:
    def __init__(self, code: int, output: str, error: str) -> None:
        self.code, self.output, self.error = code, output, error

    @property
    def line(self) -> str | None:
        return self.output.strip() or None if self.code == 0 else None


def _finish(process: "subprocess.Popen[str]") -> _Answer:
    with process:
        output, error = process.communicate()
    return _Answer(process.returncode, output, error)


def _branch_of_ci(environment: Mapping[str, str]) -> str | None:
    """CI checks out a commit, not a branch; its variables know the branch. A tag is no branch."""
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
