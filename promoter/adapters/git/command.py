"""Run git as a short child process. Its messages are in English, and only the repository around the directory is used."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from promoter.adapters.subprocess import end_session
from promoter.model.dataclass import dataclass
from promoter.model.errors import WorldError

_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
_MUTE = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never"}
"""Environment of git: English messages, no optional locks, and no prompts."""
MISSING, TIMED_OUT = 127, 124
"""The exit codes of a shell for a missing program, and of timeout(1) after a timeout."""
_LAST_WORDS = 2.0
"""Seconds that git has to remove its lock files when it is ended."""


@dataclass(frozen=True)
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
    """The git program. `environment` is its environment; variables that would select another repository are removed from it."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = os.environ if environment is None else environment

    def run(
        self,
        directory: Path,
        command: Sequence[str],
        given: bytes | None = None,
        *,
        timeout: float | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run git and return its answer: exit code 127 if git is missing, 124 after `timeout` seconds.

        `more` is added to the environment.
        """
        try:
            process = self.start(directory, command, asked=given is not None, more=more)
        except (FileNotFoundError, PermissionError):
            return Answer(MISSING, b"", "git is not installed here")
        return finish(process, given, timeout)

    def start(
        self, directory: Path, command: Sequence[str], *, asked: bool = False, more: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start git. Raise FileNotFoundError or PermissionError if it cannot be run.

        It runs in a session of its own: without a terminal no program that it starts can prompt, and all of them can be ended.
        """
        if not directory.is_dir():  # Popen's FileNotFoundError does not show whether git or the directory is missing
            raise WorldError(f"{directory} is not a directory", hint="start from the directory of the pipeline file")
        environment = {name: value for name, value in self.environment.items() if name not in _LOCAL} | _MUTE | dict(more or {})
        return subprocess.Popen(
            ["git", *command],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def finish(process: "subprocess.Popen[bytes]", given: bytes | None = None, timeout: float | None = None) -> Answer:
    with process:
        try:
            output, error = process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return Answer(TIMED_OUT, b"", f"no answer within {timeout:g} s")
        except BaseException:
            _end(process)
            raise
    return Answer(process.returncode, output, error.decode("utf-8", "replace"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    end_session(process, _LAST_WORDS)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
