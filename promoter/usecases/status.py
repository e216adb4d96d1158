"""The current state: releases of environments, what blocks each, and which reviews are missing."""

from datetime import datetime
from typing import TYPE_CHECKING

from promoter.ledger.chain import Kind
from promoter.ledger.lease import others
from promoter.ledger.state import Deployment, EnvironmentState, Failure, Running
from promoter.ledger.store import LeaseInfo
from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.labels import Namespace, color_of
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode
from promoter.pipeline.front import FRONT
from promoter.pipeline.model import NO_RELEASE
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.overrides import missing_reviews
from promoter.promotion.admission.subject import Proposal
from promoter.promotion.ports.engine import Container, Engine
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.front_traffic import FrontStatus, front_status

if TYPE_CHECKING:
    from promoter.usecases.explain import Explanation

_DOWN = ("missing", "unhealthy", "stopped")


@dataclass(frozen=True)
class WaitingRelease:
    release: str
    reason_code: str
    reasons: tuple[str, ...]
    explanation: "Explanation | None" = None
    """The verdicts now; None if they could not be evaluated here."""

    def document(self) -> dict[str, object]:
        return {"release": self.release, "reason_code": self.reason_code, "reasons": list(self.reasons)}


@dataclass(frozen=True)
class EnvironmentStatus:
    """`health` comes from the engine now: `unknown` if the engine does not answer, None if nothing runs there."""

    name: str
    release: Release | None
    since: datetime | None
    health: str | None
    pinned: str | None
    frozen: str | None
    waiting: WaitingRelease | None
    overridden: tuple[str, ...] = ()
    """A sentence for each promotion by override that no second person has reviewed."""
    faults: tuple[str, ...] = ()
    """A sentence for each service that does not serve now, or the reason why the engine could not be asked."""
    failure: Failure | None = None
    """The last promotion, if it failed."""
    vetoed: str | None = None
    """Who vetoed the release that runs, and why."""
    next: str | None = None
    """The command to type next, if anything is to be done."""
    front: FrontStatus | None = None
    """None without a front, or if it was not asked."""

    def document(self) -> dict[str, object]:
        return {
            "name": self.name,
            "release": self.release.document() if self.release else None,
            "since": stamp(self.since) if self.since else None,
            "health": self.health,
            "pinned": self.pinned is not None,
            "frozen": self.frozen is not None,
            "reason": "; ".join(reason for reason in (self.pinned, self.frozen) if reason) or None,
            "waiting": self.waiting.document() if self.waiting else None,
            "overridden": list(self.overridden),
            "faults": list(self.faults),
            "last_failure": _failure(self.failure) if self.failure else None,
            "vetoed": self.vetoed,
            "next": self.next,
            "front": self.front.document() if self.front else None,
        }


@dataclass(frozen=True)
class StatusReport:
    pipeline: str
    environments: tuple[EnvironmentStatus, ...]

    def document(self) -> dict[str, object]:
        return {"pipeline": self.pipeline, "environments": [e.document() for e in self.environments]}


@dataclass(frozen=True)
class LocksReport:
    """Every lease that was not released, and whether it is alive. The next run takes over a stale one."""

    pipeline: str
    locks: tuple[tuple[LeaseInfo, bool], ...]

    def document(self) -> dict[str, object]:
        return {"pipeline": self.pipeline, "locks": [_lock(held, alive=alive) for held, alive in self.locks]}


def _lock(held: LeaseInfo, *, alive: bool) -> dict[str, object]:
    return {
        "environment": held.environment,
        "owner": held.owner,
        "since": stamp(held.since),
        "expires": stamp(held.expires),
        "token": held.token,
        "stale": not alive,
    }


def status(ctx: Context, environment: str | None = None, *, fronts: bool = False) -> StatusReport:
    """Return the state of all environments, or of one; with `fronts` also what their fronts do.

    Raise CallerError for an unknown name.
    """
    if environment is not None:
        require_environment(ctx, environment)
    ctx.ledger.glance()
    state = facts_so_far(ctx)
    names = ctx.pipeline.needs if environment is None else (environment,)
    return StatusReport(ctx.name, tuple(_status_of(ctx, name, state.environment(name), fronts=fronts) for name in names))


def locks(ctx: Context) -> LocksReport:
    alive = others(ctx.ledger.store, "", ctx.ports.clock, ctx.ports.gone)
    return LocksReport(ctx.name, tuple((held, held in alive) for held in ctx.ledger.store.held()))


def _status_of(ctx: Context, name: str, entry: EnvironmentState, *, fronts: bool) -> EnvironmentStatus:
    current = entry.current
    release = ctx.ledger.state.releases[current.release].release if current else None
    health, found, containers = _health(ctx, name, current) if current else (None, (), ())
    waiting, command = _waiting(ctx, name, entry)
    veto = ctx.ledger.state.veto_of(current.release) if current else None
    failure = entry.last_failure
    return EnvironmentStatus(
        name,
        release,
        _serving_since(entry),
        health,
        entry.pinned.reason if entry.pinned else None,
        entry.frozen.reason if entry.frozen else None,
        waiting,
        _unreviewed(ctx, name, entry),
        found,
        failure if failure is not None and failure.seq == entry.ended_seq else None,
        f"{veto.actor}: {veto.reason}" if veto else None,
        f"promoter repair {name}" if health in _DOWN else command,
        _front(ctx, name, current, containers) if fronts and current else None,
    )


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "release": failure.release,
        "at": stamp(failure.at),
        "reason_code": failure.reason_code,
        "reasons": list(failure.reasons),
    }


def _serving_since(entry: EnvironmentState) -> datetime | None:
    """Return since when this release serves. A failed promotion that left it alone does not count."""
    current, failure = entry.current, entry.last_failure
    if current is None:
        return None
    restored = failure is not None and failure.kind is Kind.ROLLED_BACK and failure.seq > current.seq
    return failure.at if failure is not None and restored else current.at


def _waiting(ctx: Context, name: str, entry: EnvironmentState) -> tuple[WaitingRelease | None, str | None]:
    """Return the release that waits, evaluated now, and the command that continues."""
    request = entry.request
    if request is None or request.reason_code == ReasonCode.OK:
        return None, None
    from promoter.usecases.explain import explain  # imports all gates: only if something waits

    try:
        now = explain(ctx, name, request.release, None, run_checks=False)
    except PromoterError as error:
        reasons = (f"could not be evaluated now: {error.message}", *request.reasons)
        return WaitingRelease(request.release, request.reason_code, reasons), None
    reasons = tuple(one.result.verdict.sentence for one in now.closed) or (f"all gates are open: `{now.promote}`",)
    command = next((one.command for one in now.blocked if one.command), None) if now.blocked else now.promote
    return WaitingRelease(request.release, str(now.code), reasons, now), command


def _unreviewed(ctx: Context, name: str, entry: EnvironmentState) -> tuple[str, ...]:
    if not entry.pending_reviews:
        return ()
    state = ctx.ledger.state
    release = state.releases[entry.pending_reviews[-1].release].release
    try:
        environment = ctx.loaded.resolve(name, release.source, release.id)
    except PromoterError as error:
        return (f"the gates of {name} were passed by override; it is unknown whether that was reviewed: {error.message}",)
    case = make_case(ctx.pipeline, Proposal(environment, release), state, ctx.ports.clock.now())
    return tuple(one.verdict.sentence for one in missing_reviews(ctx.pipeline, environment, state, case))


def _front(ctx: Context, name: str, current: Deployment, found: tuple[Container, ...]) -> FrontStatus | None:
    """Ask the front, if containers behind one are recorded."""
    has_front = FRONT in current.services and any(color_of(one.labels) for one in found)
    return front_status(_engine(ctx, name), found) if has_front else None


def _health(ctx: Context, name: str, current: Deployment) -> tuple[str, tuple[str, ...], tuple[Container, ...]]:
    """Return the worst health of the recorded containers, a sentence for each service that does not serve, and what is there."""
    try:
        found = containers(ctx, name)
    except PromoterError as error:
        return "unknown", (f"the engine of {name} does not answer: {error.message}",), ()
    seen = {container.id: container for container in found}
    words = [(service, _word(seen.get(c), running)) for service, running in current.services.items() for c in running.containers]
    order = ("missing", "unhealthy", "stopped", "starting", "running", "healthy", "completed")
    worst = next((word for word in order if any(word == one for _, one in words)), "running")
    return worst, tuple(dict.fromkeys(f"{service} is {word}" for service, word in words if word in _DOWN)), found


def containers_of(ctx: Context, name: str) -> tuple[Container, ...] | None:
    """Return the containers; None when the environment's engine does not answer."""
    try:
        return containers(ctx, name)
    except PromoterError:
        return None


def containers(ctx: Context, name: str) -> tuple[Container, ...]:
    """Return the containers of an environment. Raise EngineError if its engine does not answer."""
    return _engine(ctx, name).find(Namespace(ctx.name, name).labels)


def _engine(ctx: Context, name: str) -> Engine:
    source = ctx.ports.source.source(ctx.pipeline.directory)
    return ctx.ports.engine(ctx.loaded.resolve(name, source, NO_RELEASE).engines[0])


def _word(container: Container | None, recorded: Running) -> str:
    if container is None:
        return "missing"
    if container.running:
        proven = container.health == "starting" and container.started_at in recorded.started
        return "healthy" if proven else container.health or "running"
    return "completed" if container.status == "exited" and container.exit_code == 0 else "stopped"
