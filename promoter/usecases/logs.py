"""The logs of an environment or of a release."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from promoter.ledger.chain import Fact, Kind
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, EngineError, SecretError
from promoter.model.labels import release_of, role_of, service_of
from promoter.model.timestamps import stamp
from promoter.pipeline.hosts import Host
from promoter.promotion.ports.container import Container
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment
from promoter.usecases.host_status import Answers, containers_by_host, containers_of

LOG_LINES = 100
"""How many lines of each container are shown by default."""
FOLLOW_INTERVAL = 1.0
"""Seconds between two looks for new lines."""


@dataclass(frozen=True)
class LogEntry:
    """`source` names what wrote the text: a step, a failed container or a running container."""

    environment: str
    at: datetime | None
    source: str
    text: str

    def document(self) -> dict[str, object]:
        at = stamp(self.at) if self.at else None
        return {"environment": self.environment, "at": at, "source": self.source, "text": self.text}


def logs(ctx: Context, what: str | None, service: str | None = None, lines: int = LOG_LINES) -> list[LogEntry]:
    """Return the logs of an environment, or of a release (the newest if `what` is None).

    An environment: the containers that run now, or ended there. A release: the recorded output of steps and failed
    containers, then its containers in all environments. At most the last `lines` lines of each container.
    """
    if what is not None and what in ctx.pipeline.needs:
        facts_so_far(ctx)
        return list(_of_environment(ctx, what, service, lines))
    chosen = find_release(ctx, what)
    if service is not None and service not in chosen.images:
        raise CallerError(f"release {chosen.short_id} has no service {service!r}", hint=f"it has {', '.join(chosen.images)}")
    entries = [entry for fact in ctx.ledger.store.read() if fact.release == chosen.id for entry in _entries(fact)]
    for name in ctx.pipeline.needs:
        found = [(host, c) for host, c in containers_of(ctx, name) if release_of(c.labels) == chosen.id and _is_of(c, service)]
        entries += [entry for host, container in found for entry in _log_lines(ctx, name, host, container, lines)]
    return entries


def follow(ctx: Context, environment: str, service: str | None, lines: int) -> Iterator[LogEntry]:
    """Yield the logs of an environment's containers, and what they write from now on, until the run is interrupted.

    Containers that replace others are followed too. Raise SecretError if a secret is missing: it could not be redacted.
    """
    require_environment(ctx, environment)
    ctx.ports.secrets.prove(tuple(ctx.pipeline.secrets))
    ends = dict[str, str]()
    while True:
        facts_so_far(ctx)
        for host, container in _recorded(ctx, environment, service, containers_by_host(ctx, environment)):
            part = ctx.ports.at(host).log_since(container.id, lines, ends.get(container.id, ""))
            ends[container.id] = part.until
            if part.text:
                yield LogEntry(environment, None, _source(host, container.name), ctx.ports.secrets.redact(part.text).rstrip("\n"))
        ctx.ports.clock.sleep(FOLLOW_INTERVAL)


# ------------------------------------------------------------ parts
def _of_environment(ctx: Context, name: str, service: str | None, lines: int) -> Iterator[LogEntry]:
    answers = containers_by_host(ctx, name)
    for host, container in _recorded(ctx, name, service, answers):
        yield from _log_lines(ctx, name, host, container, lines)
    for host, answer in answers:
        if isinstance(answer, EngineError):
            yield LogEntry(name, None, host.name, f"not shown, because the host does not answer: {answer.message}")


def _source(host: Host, container: str) -> str:
    return f"{host.name}: {container}" if host.name else container


def _recorded(ctx: Context, name: str, service: str | None, answers: Answers) -> list[tuple[Host, Container]]:
    """Return the recorded containers; all that are there, if none of them exists any more."""
    current = ctx.ledger.state.environment(name).current
    there = [(host, one) for host, answer in answers if not isinstance(answer, EngineError) for one in answer]
    deployed = [current.services, *(host.services for host in current.hosts.values())] if current else []
    recorded = {c for services in deployed for running in services.values() for c in running.containers}
    found = [(host, container) for host, container in there if container.id in recorded] or there
    known = sorted({known for _, c in found if (known := service_of(c.labels))})
    if service is not None and service not in known:
        hint = f"containers there are of {', '.join(known)}" if known else f"`promoter status` shows what runs in {name}"
        raise CallerError(f"{name} has no container of service {service!r}", hint=hint)
    return [(host, container) for host, container in found if _is_of(container, service)]


def _is_of(container: Container, service: str | None) -> bool:
    return service is None or service_of(container.labels) == service


def _log_lines(ctx: Context, name: str, host: Host, container: Container, lines: int) -> Iterator[LogEntry]:
    """Return a container's log with secrets redacted. Without the secrets' values, the log is not shown."""
    who = f"{_source(host, container.name)} ({role_of(container.labels)}, {container.status})"
    try:
        ctx.ports.secrets.prove(tuple(ctx.pipeline.secrets))
    except SecretError as error:
        yield LogEntry(name, None, who, f"not shown, because secrets in it cannot be redacted: {error.message}")
        return
    text = ctx.ports.secrets.redact(ctx.ports.at(host).logs(container.id, lines)).rstrip()
    if text:
        yield LogEntry(name, None, who, text)


def _entries(fact: Fact) -> Iterator[LogEntry]:
    environment_name = fact.environment or ""
    detail = fact.body.get("detail")
    if fact.kind is Kind.STEP_DONE and isinstance(detail, Mapping):
        text = str(detail.get("output") or detail.get("sentence") or "").rstrip()
        if text:
            yield LogEntry(environment_name, fact.at, str(fact.body.get("step")), text)
    if fact.kind in (Kind.FAILED, Kind.ROLLED_BACK):
        reasons = fact.body.get("reasons")
        text = "\n".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""
        yield LogEntry(environment_name, fact.at, str(fact.kind), text)
