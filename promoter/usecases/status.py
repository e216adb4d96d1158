"""The current state: releases of environments, what blocks each, and which reviews are missing."""

from dataclasses import dataclass
from datetime import datetime

from promoter.ledger.lease import others
from promoter.ledger.state import Deployment, EnvironmentState, PromotionRequest
from promoter.ledger.store import LeaseInfo
from promoter.model.errors import PromoterError
from promoter.model.labels import Place
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode
from promoter.pipeline.model import NO_RELEASE
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.overrides import reviews_due
from promoter.promotion.admission.subject import Proposal
from promoter.promotion.ports.engine import Container
from promoter.usecases.context import Context, facts_so_far

_DONE = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True)
class WaitingRelease:
    release: str
    reason_code: str
    reasons: tuple[str, ...]

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


def status(ctx: Context) -> StatusReport:
    ctx.ledger.glance()
    state = facts_so_far(ctx)
    return StatusReport(ctx.name, tuple(_status_of(ctx, name, state.environment(name)) for name in ctx.pipeline.needs))


def locks(ctx: Context) -> LocksReport:
    alive = others(ctx.ledger.store, "", ctx.ports.clock, ctx.ports.gone)
    return LocksReport(ctx.name, tuple((held, held in alive) for held in ctx.ledger.store.held()))


def _status_of(ctx: Context, name: str, entry: EnvironmentState) -> EnvironmentStatus:
    current, request = entry.current, entry.request
    release = ctx.ledger.state.releases[current.release].release if current else None
    waits = (
        WaitingRelease(request.release, request.reason_code, (*request.reasons, *_votes_since(entry, request)))
        if request and request.reason_code != ReasonCode.OK
        else None
    )
    return EnvironmentStatus(
        name,
        release,
        entry.since,
        _health(ctx, name, current) if current else None,
        entry.pinned.reason if entry.pinned else None,
        entry.frozen.reason if entry.frozen else None,
        waits,
        _unreviewed(ctx, name, entry),
    )


def _unreviewed(ctx: Context, name: str, entry: EnvironmentState) -> tuple[str, ...]:
    if not entry.owed:
        return ()
    state = ctx.ledger.state
    release = state.releases[entry.owed[-1].release].release
    try:
        environment = ctx.loaded.resolve(name, release.source, release.id)
    except PromoterError as error:
        return (f"the gates of {name} were passed by override; it is unknown whether that was reviewed: {error.message}",)
    case = make_case(ctx.pipeline, Proposal(environment, release), state, ctx.ports.clock.now())
    return tuple(one.verdict.sentence for one in reviews_due(ctx.pipeline, environment, state, case))


def _health(ctx: Context, name: str, current: Deployment) -> str:
    containers = containers_of(ctx, name)
    if containers is None:
        return "unknown"
    seen = {container.id: container for container in containers}
    words = [_word(seen.get(c)) for running in current.services.values() for c in running.containers]
    order = ("missing", "unhealthy", "stopped", "starting", "running", "healthy", "completed")
    return next((word for word in order if word in words), "running")


def containers_of(ctx: Context, name: str) -> tuple[Container, ...] | None:
    """Return the containers; None when the environment's engine does not answer."""
    try:
        source = ctx.ports.source.source(ctx.pipeline.directory)
        engine = ctx.ports.engine(ctx.loaded.resolve(name, source, NO_RELEASE).engines[0])
        return engine.find(Place(ctx.name, name).labels)
    except PromoterError:
        return None


def _word(container: Container | None) -> str:
    if container is None:
        return "missing"
    if container.running:
        return container.health or "running"
    return "completed" if container.status == "exited" and container.exit_code == 0 else "stopped"


def _votes_since(entry: EnvironmentState, request: PromotionRequest) -> tuple[str, ...]:
    """Return votes since the last evaluation. They are evaluated by the next `promote`."""
    votes = [
        vote for vote in entry.votes_for(request.release) if vote.seq > request.seq and vote.plan_digest == request.plan_digest
    ]
    return tuple(
        f"{_DONE.get(vote.decision, vote.decision)} by {vote.principal} since then; run `promoter promote` again"
        for vote in votes
    )
