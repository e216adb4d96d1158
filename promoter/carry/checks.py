"""Carrying out http, container and command checks; the verdict on what was seen is `gates/checks.py`'s."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from promoter.carry.recreate import without_aliases
from promoter.compose.service import Healthcheck, Service
from promoter.gates.case import CheckResult
from promoter.gates.checks import Check, CommandCheck, ContainerCheck, HttpCheck
from promoter.model.digest import ImageRef
from promoter.model.duration import say_duration
from promoter.model.naming import Place, Role, container_labels
from promoter.model.release import Release
from promoter.ports import Clock, ContainerSpec, Engine, FileContent, HttpAnswer, HttpRequest, Probes, Secrets

TAIL = 20


@dataclass(frozen=True)
class Site:
    """Where checks look: one release in one environment."""

    place: Place
    release: Release
    images: Mapping[str, ImageRef]
    promotion: str
    services: Mapping[str, Service]
    files: Callable[[str], tuple[FileContent, ...]]
    directory: Path
    engine: Engine


class Checker:
    """Carries checks out."""

    def __init__(self, clock: Clock, probes: Probes, secrets: Secrets) -> None:
        self._clock, self._probes, self._secrets = clock, probes, secrets

    def look(self, check: Check, site: Site) -> CheckResult:
        match check:
            case HttpCheck():
                return self._http(check)
            case ContainerCheck():
                return self._container(check, site)
            case CommandCheck():
                return self._command(check, site)

    def _http(self, check: HttpCheck) -> CheckResult:
        begun, reveal = self._clock.monotonic(), self._secrets.reveal
        deadline = begun + check.within.total_seconds()
        headers = {name: reveal(value) for name, value in check.headers.items()}
        while True:
            left = deadline - self._clock.monotonic()
            answer = self._probes.http(HttpRequest(reveal(check.url), check.method, headers, max(0.2, min(10.0, left))))
            spent = self._clock.monotonic() - begun
            said = self._secrets.redact(_say(check, answer))
            if _as_wanted(check, answer):
                return CheckResult(True, f"{check.title()}: {said} after {spent:.2f} s", seen=said)
            if self._clock.monotonic() + check.every.total_seconds() > deadline:
                sentence = f"{check.title()}: {said}, for {say_duration(check.within)}"
                return CheckResult(False, sentence, answer.status is None, said)
            self._clock.sleep(check.every.total_seconds())

    def _container(self, check: ContainerCheck, site: Site) -> CheckResult:
        begun = self._clock.monotonic()
        container = site.engine.create(_job(check, site), self._secrets)
        try:
            site.engine.start(container)
            code = self._wait(site.engine, container, check.timeout.total_seconds())
            output = self._secrets.redact(site.engine.logs(container, TAIL)).strip()
        finally:
            site.engine.remove(container)
        return _finished(check.title(), code, output, self._clock.monotonic() - begun)

    def _wait(self, engine: Engine, container: str, limit: float) -> int | None:
        deadline = self._clock.monotonic() + limit
        while (left := deadline - self._clock.monotonic()) > 0:
            if (code := engine.wait(container, min(left, 1.0))) is not None:
                return code
            self._clock.check()
        return None

    def _command(self, check: CommandCheck, site: Site) -> CheckResult:
        argv = [self._secrets.reveal(word) for word in check.run]
        result = self._probes.command(argv, site.directory, command_environment(site), check.timeout.total_seconds())
        output = self._secrets.redact(result.output).strip()
        return _finished(check.title(), result.exit_code, output, result.seconds)


def command_environment(site: Site) -> dict[str, str]:
    """What a command check sees beside promoter's own environment."""
    images = {f"PROMOTER_IMAGE_{re.sub('[^A-Z0-9]', '_', n.upper())}": str(ref) for n, ref in site.images.items()}
    return {"PROMOTER_RELEASE": site.release.id, "PROMOTER_ENVIRONMENT": site.place.environment, **images}


def _job(check: ContainerCheck, site: Site) -> ContainerSpec:
    """The service as it is configured, but alone: no ports, no alias, no restart, no health, one command."""
    image: ImageRef = site.images[check.service]
    changed: dict[str, object] = {
        "command": check.command,
        "ports": (),
        "restart": None,
        "healthcheck": Healthcheck(test=("NONE",), disable=True),
        "depends_on": {},
    }
    if check.entrypoint is not None:
        changed["entrypoint"] = check.entrypoint
    service = without_aliases(site.services[check.service]).model_copy(update=changed)
    labels = container_labels(site.place, check.service, site.release.id, str(image.digest), site.promotion, Role.JOB)
    name = f"{site.place.pipeline}-{site.place.environment}-{check.service}-job-{uuid4().hex[:8]}"
    return ContainerSpec(name, image, service, labels, site.files(check.service), publish=False)


def _finished(title: str, code: int | None, output: str, seconds: float) -> CheckResult:
    tail = f": {output}" if output else ""
    if code is None:
        return CheckResult(False, f"{title}: not done after {seconds:.1f} s{tail}", True, output)
    if code == 0:
        return CheckResult(True, f"{title}: exit 0 after {seconds:.2f} s", seen=output)
    return CheckResult(False, f"{title}: exit {code} after {seconds:.2f} s{tail}", seen=output)


def _as_wanted(check: HttpCheck, answer: HttpAnswer) -> bool:
    return answer.status == check.status and (check.contains is None or check.contains in answer.body)


def _say(check: HttpCheck, answer: HttpAnswer) -> str:
    if answer.status is None:
        return answer.error or "no answer"
    if answer.status == check.status and not _as_wanted(check, answer):
        return f"status {answer.status}, but the body does not contain {check.contains!r}: {answer.body[:200]!r}"
    return f"status {answer.status}" + ("" if answer.status == check.status else f", not {check.status}")
