"""The checks that look at the world: http, container, command. As a gate they open it, as a verification they prove.

The looking is done elsewhere; here stand their shapes and the verdict on what was seen.
"""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from promoter.compose.forms import CommandLine
from promoter.compose.shape import Duration, Shape
from promoter.gates.case import Case, CheckResult
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting


class HttpCheck(Shape):
    """Asks `url` until it answers `status` (and its body contains `contains`), at most `within`, each `every`."""

    kind: ClassVar[str] = "http"

    url: str = Field(pattern=r"^https?://(\S|\{\{ secret\('[^']*'\) \}\})+$")
    status: int = Field(default=200, ge=100, le=599)
    contains: str | None = None
    within: Duration = timedelta(seconds=30)
    every: Duration = timedelta(seconds=1)
    headers: dict[str, str] = {}
    method: str = Field(default="GET", pattern=r"^[A-Z]+$")

    def title(self) -> str:
        return f"http {self.method} {self.url}"


class ContainerCheck(Shape):
    """Runs a service's image at the release's digest once, on the environment's network; exit 0 passes.

    `command` takes the place of the image's command, as in Compose; `entrypoint` that of its entrypoint.
    """

    kind: ClassVar[str] = "container"

    service: str
    command: CommandLine
    entrypoint: CommandLine | None = None
    timeout: Duration = timedelta(minutes=10)

    def title(self) -> str:
        return f"container {self.service}: {' '.join(self.command)}"


class CommandCheck(Shape):
    """Runs a program beside the pipeline file; exit 0 passes."""

    kind: ClassVar[str] = "command"

    run: CommandLine
    timeout: Duration = timedelta(minutes=5)

    def title(self) -> str:
        return f"command {' '.join(self.run)}"


Check = HttpCheck | ContainerCheck | CommandCheck


def judge_check(check: Check, place: int, case: Case) -> Verdict:
    """A check that has not passed may pass later: it waits."""
    result: CheckResult | None = case.checks.get(place)
    if result is None:
        return waiting(ReasonCode.CHECK_FAILED, f"{check.title()} was not looked at, because an earlier gate is shut")
    if result.passed:
        return passed(result.sentence)
    return waiting(ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED, result.sentence)
