"""Probes that return what a test configures: answers by address or program, in order. The last answer is repeated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from promoter.promotion.ports.probes import CommandResult, HttpAnswer, HttpRequest, ToolResult

Turn = TypeVar("Turn", HttpAnswer, CommandResult, ToolResult)


class FakeProbes:
    """Nothing listens and no program exists, unless the test adds it."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.commands: list[tuple[tuple[str, ...], Mapping[str, str]]] = []
        self._answers: dict[str, list[HttpAnswer]] = {}
        self._results: dict[str, list[CommandResult]] = {}
        self.tools: list[tuple[tuple[str, ...], Mapping[str, str], Mapping[str, str]]] = []
        self._tools: dict[str, list[ToolResult]] = {}

    def answer(self, url: str, *answers: HttpAnswer | int) -> None:
        """Add answers of an address. A number is a status with an empty body."""
        self._answers[url] = [HttpAnswer(a, "", 0.001) if isinstance(a, int) else a for a in answers]

    def result(self, program: str, *results: CommandResult | int) -> None:
        """Add results of a program. A number is an exit code without output."""
        self._results[program] = [CommandResult(r, "", 0.001) if isinstance(r, int) else r for r in results]

    def installed(self, program: str, *results: ToolResult | str) -> None:
        """Add results of an installed program. A text is its output on success. It always answers when asked for its version."""
        self._tools[program] = [ToolResult(0, r.encode(), "", 0.001) if isinstance(r, str) else r for r in results]

    def http(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        return _next(self._answers.get(request.url)) or HttpAnswer(None, "", 0.001, f"nothing listens at {request.url}")

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        self.commands.append((tuple(argv), dict(environment)))
        return _next(self._results.get(argv[0])) or CommandResult(127, f"{argv[0]} was not found", 0.001)

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        self.tools.append((tuple(argv), dict(files), dict(environment)))
        if argv[0] not in self._tools:
            return ToolResult(127, b"", f"{argv[0]} was not found", 0.001)
        if argv[1:] == ("--version",):
            return ToolResult(0, f"{argv[0]} 1.0".encode(), "", 0.001)
        found = _next(self._tools[argv[0]])
        assert found is not None, f"the test does not say what {argv[0]} answers"
        return found


def _next(turns: "list[Turn] | None") -> "Turn | None":
    if not turns:
        return None
    return turns.pop(0) if len(turns) > 1 else turns[0]
