"""Run the scanner or cosign that is installed on this machine.

`gates/scan.py` and `gates/signature.py` read their output. If a program does not give a complete, valid answer about
exactly this digest, the check fails.
"""

from collections.abc import Mapping

from promoter.gates import scan, signature
from promoter.gates.context import CheckResult
from promoter.gates.scan import BadReport, Finding, ScanCheck, Scanner
from promoter.gates.signature import SignatureCheck
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.model.images import ImageRef
from promoter.promotion.checks.target import CheckTarget
from promoter.promotion.ports.probes import Probes, ToolResult
from promoter.promotion.ports.secrets import Secrets

MISSING = 127
ASK_VERSION = 30.0
SHOWN, KEPT = 5, 50
"""The number of findings in the sentence, and in the record."""


class _Failed(Exception):
    """The check has failed; the message is the reason. It is caught in this file."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass
class Programs:
    """Runs programs of this machine, one after the other, within the time of one check."""

    clock: Clock
    probes: Probes
    secrets: Secrets
    insecure: frozenset[str]

    def scan(self, check: ScanCheck, site: CheckTarget) -> CheckResult:
        deadline = self.clock.monotonic() + check.timeout.total_seconds()
        found: list[tuple[str, Finding]] = []
        texts = []
        try:
            scanner = self._scanner(check)
            for services, image in _images(site, check.service):
                findings = self._report(scanner, check, image, site.services[services[0]].platform, deadline)
                texts.append(f"{', '.join(services)}: {scan.format_counts(findings)}")
                found += [(services[0], finding) for finding in scan.too_severe(check, findings)]
        except _Failed as failed:
            return self._result(check, str(failed), timed_out=failed.timed_out)
        counted = "; ".join(texts)
        if not found:
            return self._result(check, f"{scanner}: {counted}", passed=True)
        lines = [f"{service}: {finding}" for service, finding in sorted(found, key=lambda one: -one[1].severity.rank)]
        more = f", and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
        seen = "\n".join([f"{scanner}: {counted}", *lines[:KEPT]])
        return self._result(check, f"{scanner} finds {'; '.join(lines[:SHOWN])}{more} ({counted})", seen=seen)

    def verify(self, check: SignatureCheck, site: CheckTarget) -> CheckResult:
        deadline = self.clock.monotonic() + check.timeout.total_seconds()
        key = self.secrets.reveal(check.key or "")
        files = {signature.KEY: key} if signature.is_pem(key) else {}
        signed = []
        try:
            for services, image in _images(site, check.service):
                insecure = image.repository.host in self.insecure
                words = signature.command_line(check, key, image, insecure=insecure)
                _prove(self._run(words, files, {}, deadline), image)
                signed.append(f"{', '.join(services)} {image.digest}")
        except _Failed as failed:
            return self._result(check, str(failed), timed_out=failed.timed_out)
        return self._result(check, f"cosign verifies {'; '.join(signed)}", passed=True)

    def _scanner(self, check: ScanCheck) -> Scanner:
        """Return the first scanner that is installed."""
        for scanner in check.scanners:
            if self.probes.tool((str(scanner), "--version"), {}, {}, ASK_VERSION).exit_code != MISSING:
                return scanner
        names = " nor ".join(check.scanners)
        sentence = f"neither {names} is" if len(check.scanners) > 1 else f"{names} is not"
        raise _Failed(f"{sentence} on this machine: install {' or '.join(check.scanners)}")

    def _report(
        self, scanner: Scanner, check: ScanCheck, image: ImageRef, platform: str | None, deadline: float
    ) -> tuple[Finding, ...]:
        insecure = image.repository.host in self.insecure
        files = {check.ignore_name: check.ignore or ""}
        words = scan.command_line(scanner, check, image, platform, insecure=insecure)
        try:
            return scan.read_report(
                scanner, self._run(words, files, scan.environment(scanner, insecure=insecure), deadline), image
            )
        except BadReport as fault:
            raise _Failed(f"{scanner} on {image}: {fault}") from fault

    def _run(self, words: tuple[str, ...], files: Mapping[str, str], environment: Mapping[str, str], deadline: float) -> bytes:
        """Run a program and return its whole output, if it ended successfully."""
        program, image = words[0], words[-1] if words[0] != Scanner.GRYPE else words[1].removeprefix("registry:")
        left = deadline - self.clock.monotonic()
        ended = self.probes.tool(words, files, environment, left) if left > 0 else ToolResult(None, b"", "", 0.0)
        if ended.exit_code is None:
            raise _Failed(f"{program} on {image}: timed out", timed_out=True)
        if ended.exit_code == MISSING:
            raise _Failed(f"{program} is not on this machine: install it")
        if ended.exit_code != 0:
            raise _Failed(f"{program} on {image}: exit {ended.exit_code}: {_last_words(self.secrets.redact(ended.errors))}")
        if ended.output is None:
            raise _Failed(f"{program} on {image}: its output is too long to read")
        return ended.output

    def _result(
        self, check: ScanCheck | SignatureCheck, text: str, *, passed: bool = False, timed_out: bool = False, seen: str = ""
    ) -> CheckResult:
        text = self.secrets.redact(text)
        after = f", after {format_duration(check.timeout)}" if timed_out else ""
        return CheckResult(passed, f"{check.subject()}: {text}{after}", timed_out, self.secrets.redact(seen) or text)


def _images(site: CheckTarget, services: tuple[str, ...]) -> list[tuple[tuple[str, ...], ImageRef]]:
    """Return each image once, with the services that run it."""
    found: dict[ImageRef, list[str]] = {}
    for name, image in site.made(services).items():
        found.setdefault(image, []).append(name)
    return [(tuple(names), image) for image, names in found.items()]


def _prove(answer: bytes, image: ImageRef) -> None:
    if not signature.proves(answer, image):
        raise _Failed(f"the output of cosign is not about {image}")


def _last_words(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-600:] or "no output"
