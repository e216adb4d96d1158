"""Port: HTTP requests and programs that checks run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from promoter.model.dataclass import dataclass


# ---------------------------------------------------------------- probes
@dataclass(frozen=True)
class HttpRequest:
    url: str
    method: str
    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to a request. `status` is None if no answer came; then `error` is the reason. `body` is text, at most 1 MiB."""

    status: int | None
    body: str
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class CommandResult:
    """The result of a command. `exit_code` is None after a timeout. `output` is the end of both streams."""

    exit_code: int | None
    output: str
    seconds: float


@dataclass(frozen=True)
class ToolResult:
    """The result of a program. `exit_code` is None after a timeout, and 127 if there is no such program.

    `output` is all of stdout, or None if it is too long to be kept; `errors` is the end of stderr.
    """

    exit_code: int | None
    output: bytes | None
    errors: str
    seconds: float


class Probes(Protocol):
    """Checks a running environment from outside."""

    def http(self, request: HttpRequest) -> HttpAnswer:
        """Send one request, without retries."""

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        """Run a child process beside the pipeline file; it and its children end with the timeout."""

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        """Run an installed program in a private temporary directory that contains only `files`."""
