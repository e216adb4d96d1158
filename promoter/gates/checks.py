"""Checks of the outside world, used as gates and as verifications.

This module has the models of http, container and command, and the verdict of every check. `metric`, `scan` and
`signature` have their own modules. `promotion/checks` runs the checks.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, get_args

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
    """Requests `url` every `every`, for at most `within`, until it returns `status` and a body with `contains`."""

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


class JobCheck(CheckShape):
    """A check that runs a program. `reversible` false: what the program changes cannot be undone."""

    reversible: bool = Field(default=True, exclude_if=bool)
    """It is left out of documents unless it is false, so that digests of older plans and policies stay the same."""

    def title(self) -> str:
        return super().title() if self.reversible else f"{super().title()} (irreversible)"


class ContainerCheck(JobCheck):
    """Runs a service's image at the release's digest once, on the environment's network; exit 0 passes.

    `command` replaces the image's command, as in Compose; `entrypoint` replaces its entrypoint.
    """

    kind: ClassVar[str] = "container"

    service: str
    command: CommandLine
    entrypoint: CommandLine | None = None
    timeout: Duration = timedelta(minutes=10)

    def subject(self) -> str:
        return f"container {self.service}: {' '.join(self.command)}"


class CommandCheck(JobCheck):
    """Runs a program beside the pipeline file; exit 0 passes."""

    kind: ClassVar[str] = "command"

    run: CommandLine
    timeout: Duration = timedelta(minutes=5)

    def subject(self) -> str:
        return f"command {' '.join(self.run)}"


def is_irreversible(check: CheckShape) -> bool:
    """Return whether what the check changes cannot be undone."""
    return isinstance(check, JobCheck) and not check.reversible


Check = HttpCheck | ContainerCheck | CommandCheck | MetricCheck | ScanCheck | SignatureCheck
CHECKS: Mapping[str, type[Check]] = {shape.kind: shape for shape in get_args(Check)}
"""Every check by its key in the file."""


def evaluate_check(check: Check, index: int, case: GateContext) -> Verdict:
    """Return the verdict of a check. A failed check may pass later, so it waits. A dry run is reported and never blocks."""
    result: CheckResult | None = case.checks.get(index)
    if check.dry_run:
        return passed(dry_run_sentence(result) if result else "dry run: no result yet")
    if result is None:
        return waiting(
            ReasonCode.NOT_CHECKED,
            f"{check.title()} has not run yet: it runs in `promote`, once the other gates pass",
        )
    if result.passed:
        return passed(result.sentence)
    return waiting(ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED, result.sentence)


def dry_run_sentence(result: CheckResult) -> str:
    """Describe the result of a dry run, and what the check would have done."""
    would = "passed" if result.passed else "timed out" if result.timed_out else "failed"
    return f"dry run: would have {would}: {result.sentence}"
