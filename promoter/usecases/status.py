"""The current state: releases of environments, what blocks each, and which reviews are missing."""

from datetime import datetime
from typing import TYPE_CHECKING

from promoter.ledger.attempts import Failure
from promoter.ledger.chain import Kind
from promoter.ledger.lease import others
from promoter.ledger.state import EnvironmentState
from promoter.ledger.store import LeaseInfo
from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.overrides import missing_reviews
from promoter.promotion.admission.subject import Proposal
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.front_traffic import FrontStatus
from promoter.usecases.host_status import DOWN, HostStatus, ask_about, worst

if TYPE_CHECKING:
    from promoter.usecases.explain import Explanation


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
    hosts: tuple[HostStatus, ...] = ()
    """Each host, in an environment with several."""
    front: FrontStatus | None = None
    """None without a front, if it was not asked, and with several hosts: each has its own."""

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
            **({"hosts": [host.document() for host in self.hosts]} if self.hosts else {}),
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
    entries = {name: state.environment(name) for name in (ctx.pipeline.needs if environment is None else (environment,))}
    deployed = {name: entry.current for name, entry in entries.items() if entry.current is not None}
    hosts = ask_about(ctx, deployed, fronts=fronts)
    return StatusReport(ctx.name, tuple(_status_of(ctx, name, entry, hosts.get(name, ())) for name, entry in entries.items()))


def locks(ctx: Context) -> LocksReport:
    alive = others(ctx.ledger.store, "", ctx.ports.clock, ctx.ports.gone)
    return LocksReport(ctx.name, tuple((held, held in alive) for held in ctx.ledger.store.held()))


def _status_of(ctx: Context, name: str, entry: EnvironmentState, hosts: tuple[HostStatus, ...]) -> EnvironmentStatus:
    current = entry.current
    release = ctx.ledger.state.releases[current.release].release if current else None
    health, found = worst(hosts) if hosts else (None, ())
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
        f"promoter repair {name}" if health in DOWN or any(host.behind for host in hosts) else command,
        tuple(host for host in hosts if host.name),
        hosts[0].front if hosts and not hosts[0].name else None,
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
