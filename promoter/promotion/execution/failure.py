"""The failure of a step: a reason code, sentences for people, and evidence."""

from dataclasses import field

from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets

LOG_LINES = 20


@dataclass(frozen=True)
class Evidence:
    """The evidence from a failed container, for the record and for the reader."""

    container: str
    status: str
    exit_code: int | None
    oom_killed: bool
    log: tuple[str, ...]
    health_log: tuple[str, ...] = ()
    probe: str | None = None

    def document(self) -> dict[str, object]:
        return {
            "container": self.container,
            "status": self.status,
            "exit_code": self.exit_code,
            "oom_killed": self.oom_killed,
            "log": list(self.log),
            "health_log": list(self.health_log),
            "probe": self.probe,
        }

    def sentences(self) -> tuple[str, ...]:
        lines = [f"{self.container} is {self.status}"]
        if self.exit_code is not None and self.status != "running":
            lines[0] += f", exit code {self.exit_code}"
        if self.oom_killed:
            lines.append("it was killed because it ran out of memory")
        if self.probe:
            lines.append(f"last probe: {self.probe}")
        lines += [f"health log: {line}" for line in self.health_log]
        lines += [f"log: {line}" for line in self.log] or ["its log is empty"]
        return tuple(lines)


@dataclass
class StepFailure(Exception):
    """A step that failed. This is not an error of promoter: the runner answers it by restoring the earlier release."""

    code: ReasonCode
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...] = field(default=())

    def __str__(self) -> str:
        return "; ".join(self.reasons)


def of_error(error: PromoterError, fallback: ReasonCode) -> StepFailure:
    """Convert an error from outside to the failure of a step."""
    lines = (error.message,) if error.hint is None else (error.message, error.hint)
    return StepFailure(error.reason_code or fallback, lines)


def gather(engine: Runtime, container: Container, secrets: Secrets, probe: str | None = None) -> Evidence:
    """Read the log and the health log of a failed container; values of secrets are redacted."""
    log = secrets.redact(engine.logs(container.id, LOG_LINES)).splitlines()
    health = [f"exit {p.exit_code}: {secrets.redact(p.output).strip()}" for p in container.health_log[-3:]]
    return Evidence(
        container.name,
        container.status,
        None if container.running else container.exit_code,
        container.oom_killed,
        tuple(log[-LOG_LINES:]),
        tuple(health),
        secrets.redact(probe) if probe else None,
    )
