"""Run a command in a running container of a service, and record who ran what.

The start is recorded before the command runs, and the result after it, so that no interruption hides a command.
No lease is taken: a long command must not block a promotion or a rollback.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from promoter.ledger.chain import Fact
from promoter.ledger.deployment import Deployment
from promoter.ledger.facts import Executed
from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.model.errors import CallerError, EngineError, PromoterError, Refused
from promoter.model.labels import Namespace
from promoter.model.ownership import owner_labels
from promoter.model.suggest import nearest
from promoter.model.timestamps import stamp
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import NO_RELEASE
from promoter.promotion.admission.target import other_engine, other_ledger
from promoter.promotion.execution.ownership import Owned
from promoter.promotion.ports.container import Container, ExecResult, Output
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.recorded_plan import recorded_hosts
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.redacted_lines import RedactedLines, WriteLine

Act = Callable[[Output], ExecResult]
"""Runs the command; the parameter gets its output."""
TIMEOUT = timedelta(minutes=10)
"""How long promoter waits for the end of a command by default."""


@dataclass(frozen=True)
class Execution:
    """A command that ran in a container. Without `exit_code`, `reason` says why its end was not seen."""

    pipeline: str
    environment: str
    service: str
    container: Container
    command: tuple[str, ...]
    exit_code: int | None
    reason: str | None
    fact: Fact

    def document(self) -> dict[str, object]:
        return {
            "pipeline": self.pipeline,
            "environment": self.environment,
            "service": self.service,
            "container": self.container.name,
            "command": list(self.command),
            "exit_code": self.exit_code,
            "reason": self.reason,
            "fact": self.fact.seq,
        }


def execute(
    ctx: Context,
    environment: str,
    service: str,
    command: Sequence[str],
    write: WriteLine,
    *,
    replica: int = 1,
    timeout: timedelta = TIMEOUT,
    host: str | None = None,
) -> Execution:
    """Run a command. `write` gets each line of its output, without secrets.

    Raise CallerError for an unknown name, Refused for another engine or ledger than the recorded one, EngineError if the
    container does not run, and SecretError if a secret is missing: it could not be redacted.
    """
    require_environment(ctx, environment)
    facts_so_far(ctx)
    whole = _deployment(ctx, environment)
    chosen = _host(environment, whole, service, host)
    current = whole.on(chosen) if chosen else whole
    assert current is not None  # `_host` returns only hosts with a deployment
    at = _recorded_host(ctx, environment, current, chosen)
    wanted = _recorded_container(environment, current, service, 1 if at.managers else replica)
    runtime = ctx.ports.at(at)
    _refuse_other(ctx, environment, current, runtime)
    container = _live_container(ctx, runtime, environment, service, wanted)
    ctx.ports.secrets.prove(tuple(ctx.pipeline.secrets))
    words = tuple(command)
    intent = Executed(service=service, container=container.id, replica=replica, command=words, host=chosen or None)
    first = ctx.ledger.append(intent, environment, current.release)
    if at.managers:
        act = partial(ctx.ports.cluster(at.managers).exec, container.id, replica, words, timeout.total_seconds())
    else:
        act = partial(ctx.ports.engine(at.engine).exec, container.id, words, timeout.total_seconds())
    result, fact = _run(ctx, act, first, intent, timeout, write)
    reason = _unseen_end(timeout) if result.timed_out else None
    code = None if result.timed_out else result.exit_code
    return Execution(ctx.name, environment, service, container, words, code, reason, fact)


# ------------------------------------------------------------ parts
def _run(ctx: Context, act: Act, first: Fact, intent: Executed, timeout: timedelta, write: WriteLine) -> tuple[ExecResult, Fact]:
    """Run the command and record its result, also if the connection to the engine or this run ends before the command."""
    lines, started = RedactedLines(ctx.ports.secrets.redact, write), ctx.ports.clock.now()

    def record(code: int | None, reason: str | None) -> Fact:
        lines.end()
        took = ctx.ports.clock.now() - started
        ended = replace(
            intent,
            intent=first.digest,
            started=stamp(started),
            duration_ms=round(took.total_seconds() * 1000),
            exit_code=code,
            reason=reason,
        )
        return ctx.ledger.append(ended, first.environment, first.release)

    try:
        result = act(lines.take)
    except PromoterError as error:
        record(None, error.message)
        raise
    if result.timed_out:
        return result, record(None, _unseen_end(timeout))
    return result, record(result.exit_code, None)


def _unseen_end(timeout: timedelta) -> str:
    return f"not finished within {format_duration(timeout)}; it may still run, because an engine cannot end it"


def _deployment(ctx: Context, environment: str) -> Deployment:
    current = ctx.ledger.state.environment(environment).current
    if current is None:
        raise CallerError(f"nothing was promoted to {environment} yet", hint=f"run `promoter promote --to {environment}` first")
    return current


def _host(environment: str, current: Deployment, service: str, wanted: str | None) -> str:
    """Return the host to use: the wanted one, or the first that runs the service; empty if the environment has no hosts."""
    if wanted is None:
        return next((name for name, one in current.hosts.items() if service in one.services), next(iter(current.hosts), ""))
    if wanted in current.hosts and current.hosts[wanted].promotion:
        return wanted
    known = [name for name, one in current.hosts.items() if one.promotion]
    hint = f"it has {', '.join(known)}" if known else "it has one host: run the command without --host"
    raise CallerError(f"{environment} has no host {wanted!r} with a deployment", hint=hint)


def _recorded_container(environment: str, current: Deployment, service: str, replica: int) -> str:
    """Return the id of a replica, as the ledger recorded it."""
    running = current.services.get(service)
    if running is None:
        hint = nearest(service, current.services) or f"it has {', '.join(current.services)}"
        raise CallerError(f"{environment} has no service {service!r}", hint=hint)
    if not 1 <= replica <= len(running.containers):
        raise CallerError(
            f"{service} has no replica {replica} in {environment}: it has {len(running.containers)}",
            hint="without --replica, the command runs in the first one",
        )
    return running.containers[replica - 1]


def _recorded_host(ctx: Context, environment: str, current: Deployment, host: str) -> Host:
    """Return where the release was promoted to."""
    document = ctx.ledger.plan_document(environment, current.plan_digest)
    if document is not None:
        hosts = recorded_hosts(document)
    else:
        source = ctx.ports.source.source(ctx.pipeline.directory)
        hosts = ctx.loaded.resolve(environment, source, NO_RELEASE).hosts
    return next((one for one in hosts if one.name == host), hosts[0])


def _refuse_other(ctx: Context, environment: str, current: Deployment, engine: Runtime) -> None:
    """Raise Refused if another engine answers, or another ledger owns what runs there."""
    found = None
    if environment not in ctx.accept_engine:
        found = other_engine(environment, current, engine)
    if found is None and environment not in ctx.accept_ledger:
        namespace = Namespace(ctx.name, environment)
        found = other_ledger(namespace, ctx.ledger.state.chain, ctx.ledger.store.location, engine)
    if found is not None:
        raise Refused(found.verdict.sentence, found.verdict.code)


def _live_container(ctx: Context, engine: Runtime, environment: str, service: str, identifier: str) -> Container:
    """Return the container. Raise StartError if it belongs to another owner, EngineError if it does not run."""
    owner = owner_labels(Namespace(ctx.name, environment), service)
    found = Owned(engine, ctx.ports.clock).of(owner, identifier)
    if found is not None and (found.running or found.shortfall):
        return found
    state = "is missing" if found is None else f"is {found.status}"
    raise EngineError(
        f"{service} has no running container in {environment}: the recorded one, {identifier[:12]}, {state}",
        hint=f"`promoter repair {environment}` makes the recorded release run again; then run the same command",
    )
