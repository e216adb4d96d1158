"""The checks that look at the world: as a gate they open it, as a verification they prove.

Here stand the shapes of http, container and command, and the verdict on what any check saw. `metric`, `scan` and
`signature` have files of their own. The looking is done elsewhere.
"""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from promoter.config.fields import CommandLine
from promoter.config.spec import Duration
from promoter.gates.check_base import CheckShape
from promoter.gates.context import CheckResult, GateContext
from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting


class HttpCheck(CheckShape):
    """Asks `url` until it answers `status` (and its body contains `contains`), at most `within`, each `every`."""

    kind: ClassVar[str] = "http"

    url: str = Field(pattern=r"^https?://(\S|\{\{ secret\('[^']*'\) \}\})+$")
    status: int = Field(default=200, ge=100, le=599)
    contains: str | None = None
    within: Duration = timedelta(seconds=30)
    every: Duration = timedelta(seconds=1)
    headers: dict[str, str] = {}
    method: str = Field(default="GET", pattern=r"^[A-Z]+$")

    def subject(self) -> str:
        return f"http {self.method} {self.url}"


class ContainerCheck(CheckShape):
    """Runs a service's image at the release's digest once, on the environment's network; exit 0 passes.

    `command` takes the place of the image's command, as in Compose; `entrypoint` that of its entrypoint.
    """

    kind: ClassVar[str] = "container"

    service: str
    command: CommandLine
    entrypoint: CommandLine | None = None
    timeout: Duration = timedelta(minutes=10)

    def subject(self) -> str:
        return f"container {self.service}: {' '.join(self.command)}"


class CommandCheck(CheckShape):
    """Runs a program beside the pipeline file; exit 0 passes."""

    kind: ClassVar[str] = "command"

    run: CommandLine
    timeout: Duration = timedelta(minutes=5)

    def subject(self) -> str:
        return f"command {' '.join(self.run)}"


Check = HttpCheck | ContainerCheck | CommandCheck | MetricCheck | ScanCheck | SignatureCheck


def evaluate_check(check: Check, place: int, case: GateContext) -> Verdict:
    """A check that has not passed may pass later: it waits. In a dry run it is told, and stands in nobody's way."""
    result: CheckResult | None = case.checks.get(place)
    if check.dry_run:
        return passed(say_dry_run(result) if result else "dry run: not looked at")
    if result is None:
        return waiting(
            ReasonCode.CHECK_FAILED,
            f"{check.title()} was not looked at: it is when a promotion is tried and no earlier gate is shut",
        )
    if result.passed:
        return passed(result.sentence)
    return waiting(ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED, result.sentence)


def say_dry_run(result: CheckResult) -> str:
    """What was measured, and what it would have done."""
    would = "passed" if result.passed else "timed out" if result.timed_out else "failed"
    return f"dry run: would have {would}: {result.sentence}"
