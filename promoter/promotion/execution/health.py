"""Prove that a container is healthy, with promoter's own checks at a short interval instead of waiting for the engine's timer.

If the healthcheck fetches a page that is published on this machine, that page is fetched from outside. Otherwise, and if
the page does not answer, the healthcheck's command is run inside. The engine's status is checked too, and its `unhealthy`
is final. Without a healthcheck, the container must run, and keep running for a while. A service that others wait for to
complete must end with exit code 0.
"""

from datetime import timedelta

from promoter.model.clock import Clock
from promoter.model.errors import EngineError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.service import Service
from promoter.promotion.execution.external_probe import outside_url
from promoter.promotion.execution.failure import StepFailure, gather
from promoter.promotion.ports.container import Container, ExecResult
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import HttpRequest, Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Proof

DEFAULT_STEADY = timedelta(seconds=2)
DEFAULT_INTERVAL = timedelta(seconds=30)
DEFAULT_TIMEOUT = timedelta(seconds=30)
DEFAULT_RETRIES = 3
SLACK = 5.0
"""Seconds to wait for the engine's own status after the time when it was expected."""
_ONLY_OUTSIDE, _OUTSIDE_TIMEOUT = 1.0, 0.5
"""Seconds in which only requests from outside are tried, and the timeout of one request."""
_FIRST_PAUSE, _LONGEST_PAUSE, _POLL = 0.03, 1.0, 0.05


class HealthProver:
    """Examines containers of one engine. Without `probes`, no request is made from outside."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None) -> None:
        self._engine, self._clock, self._secrets, self._probes = engine, clock, secrets, probes

    def prove(self, container: str, service: Service, proof: Proof, *, settled: bool = False, within: float | None = None) -> str:
        """Wait until the container is proven healthy, and return the sentence that describes the proof.

        `settled`: it was proven before, so without a healthcheck it must only still run. `within` is the most seconds that a
        healthcheck may take to succeed, if that is less than its own time. Raise StepFailure with the evidence.
        """
        seen = self._inspect(container)
        if proof is Proof.COMPLETED:
            return self._completed(seen)
        if seen.healthcheck is None:
            return self._steady(seen, timedelta() if settled else service.steady or DEFAULT_STEADY)
        limit = _time_limit(service)
        return self._answers(seen, seen.healthcheck, service, limit if within is None else min(within, limit))

    def _answers(self, seen: Container, test: tuple[str, ...], service: Service, most: float) -> str:
        command = ("/bin/sh", "-c", test[1]) if test[0] == "CMD-SHELL" else test[1:]
        check = service.healthcheck
        limit = ((check and check.timeout) or DEFAULT_TIMEOUT).total_seconds()
        started, pause, problem = self._clock.monotonic(), _FIRST_PAUSE, "not probed yet"
        deadline = started + most
        local = self._probes is not None and self._engine.address.startswith("unix://")
        url = outside_url(test, seen.published) if local else None
        while True:
            if url is not None and self._page_is_there(url):
                return f"healthy after {self._clock.monotonic() - started:.2f} s, probed at {url}"
            if url is not None and self._clock.monotonic() - started < _ONLY_OUTSIDE:
                seen = self._still_running(seen, f"no answer from {url} yet")
                self._clock.sleep(_FIRST_PAUSE)
                continue
            result = self._exec(seen, command, limit)
            spent = self._clock.monotonic() - started
            if result.exit_code == 0:
                return f"healthy after {spent:.2f} s"
            output = self._secrets.redact(result.output).strip()[-300:]
            problem = f"{' '.join(command)} exited with {result.exit_code} after {spent:.1f} s: {output}"
            seen = self._still_running(seen, problem)
            if seen.health == "healthy":
                return f"healthy after {spent:.2f} s, reported by the engine"
            if seen.health == "unhealthy" or self._clock.monotonic() >= deadline:
                raise self._unhealthy(seen, problem)
            self._clock.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _page_is_there(self, url: str) -> bool:
        """Return whether the page answers with success. After any other answer the healthcheck's command decides."""
        if self._probes is None:
            return False
        answer = self._probes.http(HttpRequest(url, "GET", {}, _OUTSIDE_TIMEOUT))
        return answer.status is not None and 200 <= answer.status < 300

    def _exec(self, seen: Container, command: tuple[str, ...], limit: float) -> ExecResult:
        try:
            return self._engine.exec(seen.id, command, limit)
        except EngineError:
            self._still_running(seen, None)  # the container may have ended: report that instead
            raise

    def _steady(self, seen: Container, steady: timedelta) -> str:
        ends = self._clock.monotonic() + steady.total_seconds()
        if not steady:
            self._still_running(seen, None)
            return "running"
        while self._clock.monotonic() < ends:
            self._clock.sleep(_POLL)
            seen = self._still_running(seen, None)
        return f"running and steady for {steady.total_seconds():g} s"

    def _completed(self, seen: Container) -> str:
        while (code := self._engine.wait(seen.id, 1.0)) is None:
            self._clock.check()
        if code == 0:
            return "completed with exit code 0"
        raise self._failed(ReasonCode.START_FAILED, self._inspect(seen.id), None)

    def _still_running(self, before: Container, probe: str | None) -> Container:
        seen = self._inspect(before.id)
        if seen.running and seen.restart_count == before.restart_count:
            return seen
        raise self._failed(ReasonCode.START_FAILED, seen, probe)

    def _inspect(self, container: str) -> Container:
        seen = self._engine.inspect(container)
        if seen is None:
            raise StepFailure(ReasonCode.START_FAILED, (f"container {container} is gone: it was removed from outside",))
        return seen

    def _unhealthy(self, seen: Container, probe: str) -> StepFailure:
        return self._failed(ReasonCode.UNHEALTHY, seen, probe)

    def _failed(self, code: ReasonCode, seen: Container, probe: str | None) -> StepFailure:
        evidence = gather(self._engine, seen, self._secrets, probe)
        what = "did not become healthy" if code is ReasonCode.UNHEALTHY else "did not stay up"
        return StepFailure(code, (f"{seen.name} {what}", *evidence.sentences()), (evidence,))


def _time_limit(service: Service) -> float:
    """Return the seconds after which the engine itself would report `unhealthy`, with some extra time."""
    check = service.healthcheck
    interval = ((check and check.interval) or DEFAULT_INTERVAL).total_seconds()
    timeout = ((check and check.timeout) or DEFAULT_TIMEOUT).total_seconds()
    start = check.start_period.total_seconds() if check and check.start_period else 0.0
    retries = (check and check.retries) or DEFAULT_RETRIES
    return start + retries * (interval + min(timeout, interval)) + SLACK
