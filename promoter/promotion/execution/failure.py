"""How a step fails: a reason code, sentences for people, and the evidence of what was seen."""

from dataclasses import dataclass, field

from promoter.model.errors import PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion.ports.engine import Container, Engine
from promoter.promotion.ports.secrets import Secrets

LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a failed container left: for the record and for the person who reads it."""

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
    """A step that did not do what it should. Not a fault of promoter: the runner answers by putting things back."""

    code: ReasonCode
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...] = field(default=())

    def __str__(self) -> str:
        return "; ".join(self.reasons)


def of_error(error: PromoterError, fallback: ReasonCode) -> StepFailure:
    """An error of the world as the failure of a step."""
    lines = (error.message,) if error.hint is None else (error.message, error.hint)
    return StepFailure(error.reason_code or fallback, lines)


def gather(engine: Engine, container: Container, secrets: Secrets, probe: str | None = None) -> Evidence:
    """Reads the log and the health log of a container that failed; values of secrets are blotted out."""
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
