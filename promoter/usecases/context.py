"""The context of every use case, and how releases and environments are found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from secrets import token_hex

from promoter.ledger.facts import Released
from promoter.ledger.lease import TIME_TO_LIVE
from promoter.ledger.ledger import Ledger
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.model.suggest import nearest
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import NO_RELEASE, Pipeline
from promoter.promotion import progress
from promoter.promotion.build import Made
from promoter.usecases.ports.bundle import UseCasePorts


@dataclass
class Context:
    """One pipeline, its ledger and the ports: the context of every use case."""

    loaded: Loaded
    ports: UseCasePorts
    ledger: Ledger
    emit: progress.Listener
    owner: str
    """The owner of leases: person and process."""
    actor: str
    interrupt: Callable[[], None]
    """May be called from a signal handler."""
    accept_engine: tuple[str, ...] = ()
    accept_ledger: tuple[str, ...] = ()
    key: str | None = None
    git_key: Callable[[], str | None] = lambda: None
    policy_ref: str | None = None
    lease_ttl: timedelta = TIME_TO_LIVE
    ci_run: str | None = None
    """The URL of this CI run."""
    deployments: bool = False
    warned: bool = False
    """Whether impossible facts were reported already."""

    @property
    def pipeline(self) -> Pipeline:
        return self.loaded.pipeline

    @property
    def name(self) -> str:
        return self.pipeline.name


def find_release(ctx: Context, prefix: str | None) -> Release:
    """Find a release by a unique prefix of its id; without one, the newest."""
    state = facts_so_far(ctx)
    newest = state.newest()
    if newest is None:
        raise CallerError("there is no release yet", hint="create one with `promoter run` or `promoter build`")
    if prefix is None:
        return newest.release
    found = [record.release for record in state.matching(prefix.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        hint = "`promoter status` and `promoter history` show releases"
        if prefix in ctx.pipeline.needs:
            hint = f"{prefix} is an environment: write `--to {prefix}`, and the release, if any, before it"
        raise CallerError(f"no release begins with {prefix!r}", hint=hint)
    several = ", ".join(release.short_id for release in found[:5])
    raise CallerError(f"{prefix!r} matches {len(found)} releases: {several}", hint="type more digits")


def record_release(ctx: Context, made: Made) -> bool:
    """Append the release unless it is the newest already. Return True if the ledger had it."""
    release = made.release
    state = facts_so_far(ctx)
    newest = state.newest()
    if newest is None or newest.release.id != release.id:
        fact = Released(pipeline=ctx.name, content=release.content(), tags=dict(made.tags))
        ctx.ledger.append(lambda state: replace(fact, salt=_salt_once(state)), release=release.id)
    return release.id in state.releases


def facts_so_far(ctx: Context) -> State:
    """Read the ledger to its end. It must hold one pipeline only: facts of two would be mixed."""
    state = ctx.ledger.refresh()
    if state.pipeline not in (None, ctx.name):
        raise CallerError(
            f"the ledger {ctx.ledger.store.location} belongs to pipeline {state.pipeline}, not to {ctx.name}",
            hint="use another ledger for this pipeline: `ledger: sqlite:.promoter/NAME.db` in the file, or --ledger",
        )
    if state.impossible and not ctx.warned:
        ctx.warned = True
        which = ", ".join(state.impossible)
        ctx.emit(
            progress.Notice(f"the ledger holds impossible facts, which are ignored: {which}; `promoter ledger verify` shows why")
        )
    return state


def require_environment(ctx: Context, environment: str) -> None:
    if environment not in ctx.pipeline.needs:
        hint = nearest(environment, ctx.pipeline.needs) or f"the pipeline has {', '.join(ctx.pipeline.needs)}"
        raise CallerError(f"{ctx.name} has no environment {environment!r}", hint=hint)


def has_gates(ctx: Context, environment: str) -> bool:
    """Return whether promotions to an environment must pass gates. Raise CallerError for an unknown name."""
    require_environment(ctx, environment)
    source = ctx.ports.source.source(ctx.pipeline.directory)
    return bool(ctx.loaded.resolve(environment, source, NO_RELEASE).gates)


def _salt_once(state: State) -> str | None:
    """Make the pipeline's salt with its first release. It never changes, so that hashes of secrets stay comparable."""
    return None if state.salt else token_hex(16)
