"""Port: HTTP requests and programs that checks run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


# ---------------------------------------------------------------- probes
@dataclass(frozen=True, slots=True)
class HttpRequest:
    url: str
    method: str
    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`status` None when no answer came; then `error` says why. `body` is text, at most 1 MiB."""

    status: int | None
    body: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """`exit_code` None when it was not done within its time. `output` is the tail of both streams."""

    exit_code: int | None
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`exit_code` None when it was not done within its time, 127 when there is no such program.

    `output` is all of stdout, or None when it is too long to be kept; `errors` is the tail of stderr.
    """

    exit_code: int | None
    output: bytes | None
    errors: str
    seconds: float


class Probes(Protocol):
    """Looks at a running environment from outside."""

    def http(self, request: HttpRequest) -> HttpAnswer:
        """One try."""

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        """Runs a child process beside the pipeline file; it and its children end with the timeout."""

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        """Runs an installed program in a private directory that holds `files` and nothing else, and goes with it."""
