"""Git as a short child process: its answers, in plain English, from the repository around a directory and no other."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from promoter.model.errors import WorldError

_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
MISSING = 127
"""The exit code that a shell gives when there is no such program."""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    output: bytes
    error: str

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace").strip()

    @property
    def line(self) -> str | None:
        return self.text or None if self.code == 0 else None


class Git:
    """Runs git. `environment` is what it inherits, without the variables that would name another repository."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = os.environ if environment is None else environment

    def run(self, directory: Path, command: Sequence[str], given: bytes | None = None) -> Answer:
        """The answer; code 127 where there is no git."""
        try:
            return finish(self.start(directory, command, asked=given is not None), given)
        except (FileNotFoundError, PermissionError):
            return Answer(MISSING, b"", "there is no git here")

    def start(self, directory: Path, command: Sequence[str], *, asked: bool = False) -> "subprocess.Popen[bytes]":
        """Raises FileNotFoundError or PermissionError where there is no git to run."""
        if not directory.is_dir():  # Popen's FileNotFoundError would not say which of the two is missing
            raise WorldError(f"{directory} is not a directory", hint="start from the directory of the pipeline file")
        environment = {name: value for name, value in self.environment.items() if name not in _LOCAL}
        environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        return subprocess.Popen(
            ["git", *command], cwd=directory, env=environment, stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


def finish(process: "subprocess.Popen[bytes]", given: bytes | None = None) -> Answer:
    with process:
        output, error = process.communicate(given)
    return Answer(process.returncode, output, error.decode("utf-8", "replace"))
