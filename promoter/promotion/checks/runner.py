"""Run checks: http, container and command here, the others in their own modules.

`gates/checks.py` turns the result into a verdict.
"""

from collections.abc import Callable
from typing import assert_never

from promoter.gates.checks import Check, CommandCheck, ContainerCheck, HttpCheck
from promoter.gates.context import CheckResult
from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.model.duration import format_duration
from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.promotion.checks.jobs import Jobs
from promoter.promotion.checks.metrics import Metric
from promoter.promotion.checks.programs import Programs
from promoter.promotion.checks.target import CheckTarget, command_environment
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.probes import HttpAnswer, HttpRequest


class Checker:
    """Runs checks."""

    def __init__(self, ports: Ports) -> None:
        self._clock, self._probes, self._secrets = ports.clock, ports.probes, ports.secrets
        self._jobs = Jobs(ports.clock, ports.secrets, ports.gone)
        self._programs = Programs(ports.clock, ports.probes, ports.secrets, ports.insecure)

    def run(self, check: Check, site: CheckTarget) -> CheckResult:
        return tolerant(check, lambda: self._run(check, site))

    def _run(self, check: Check, site: CheckTarget) -> CheckResult:
        match check:
            case HttpCheck():
                return self._http(check)
            case ContainerCheck():
                return self._container(check, site)
            case CommandCheck():
                return self._command(check, site)
            case MetricCheck():
                return Metric(check, self._clock, self._probes, self._secrets, fresh=site.fresh).run()
            case ScanCheck():
                return self._programs.scan(check, site)
            case SignatureCheck():
                return self._programs.verify(check, site)
        assert_never(check)

    def _http(self, check: HttpCheck) -> CheckResult:
        started, reveal = self._clock.monotonic(), self._secrets.reveal
        deadline = started + check.within.total_seconds()
        headers = {name: reveal(value) for name, value in check.headers.items()}
        while True:
            left = deadline - self._clock.monotonic()
            answer = self._probes.http(HttpRequest(reveal(check.url), check.method, headers, max(0.2, min(10.0, left))))
            spent = self._clock.monotonic() - started
            text = self._secrets.redact(_describe(check, answer, self._secrets.redact))
            if _as_wanted(check, answer):
                return CheckResult(True, f"{check.subject()}: {text} after {spent:.2f} s", seen=text)
            if self._clock.monotonic() + check.every.total_seconds() > deadline:
                sentence = f"{check.subject()}: {text}, for {format_duration(check.within)}"
                return CheckResult(False, sentence, answer.status is None, text)
            self._clock.sleep(check.every.total_seconds())

    def _container(self, check: ContainerCheck, site: CheckTarget) -> CheckResult:
        started = self._clock.monotonic()
        ended = self._jobs.run(check, site)
        return _finished(check.subject(), ended.code, ended.output, self._clock.monotonic() - started)

    def _command(self, check: CommandCheck, site: CheckTarget) -> CheckResult:
        argv = [self._secrets.reveal(word) for word in check.run]
        result = self._probes.command(argv, site.directory, command_environment(site), check.timeout.total_seconds())
        output = self._secrets.redact(result.output).strip()
        return _finished(check.subject(), result.exit_code, output, result.seconds)


def tolerant(check: Check, run: Callable[[], CheckResult]) -> CheckResult:
    """Run a check. In a dry run, errors from outside are a result instead of an exception."""
    try:
        return run()
    except PromoterError as error:
        if not check.dry_run or isinstance(error, (Interrupted, LeaseLost)):
            raise
        return CheckResult(False, f"{check.subject()}: {error.message}")


def _finished(title: str, code: int | None, output: str, seconds: float) -> CheckResult:
    tail = f": {output}" if output else ""
    if code is None:
        return CheckResult(False, f"{title}: not done after {seconds:.1f} s{tail}", True, output)
    if code == 0:
        return CheckResult(True, f"{title}: exit 0 after {seconds:.2f} s", seen=output)
    return CheckResult(False, f"{title}: exit {code} after {seconds:.2f} s{tail}", seen=output)


def _as_wanted(check: HttpCheck, answer: HttpAnswer) -> bool:
    return answer.status == check.status and (check.contains is None or check.contains in answer.body)


def _describe(check: HttpCheck, answer: HttpAnswer, redact: Callable[[str], str]) -> str:
    if answer.status is None:
        return answer.error or "no answer"
    if answer.status == check.status and not _as_wanted(check, answer):
        seen = redact(answer.body)[:200]  # redact first: half of a secret would not be recognised
        return f"status {answer.status}, but the body does not contain {check.contains!r}: {seen!r}"
    return f"status {answer.status}" + ("" if answer.status == check.status else f", not {check.status}")
