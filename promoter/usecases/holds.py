"""Holds: a pin stops automatic promotions to an environment, a freeze stops all, a veto bans a release permanently.

Each is a fact with a reason. `promotion/admission/holds.py` evaluates them.
"""

from collections.abc import Sequence

from promoter.ledger import facts
from promoter.ledger.chain import Fact
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.model.suggest import nearest
from promoter.pipeline.model import ToBuild
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment


@dataclass(frozen=True)
class Vetoed:
    """A recorded veto, and the environments where a banned image runs. It runs until a rollback."""

    fact: Fact
    release: Release
    runs_in: tuple[str, ...]


def pin(ctx: Context, environment: str, reason: str) -> Fact:
    """Pin the environment: automatic promotions do not change it until it is unpinned."""
    require_environment(ctx, environment)
    return ctx.ledger.append(facts.Pinned(reason=reason), environment)


def unpin(ctx: Context, environment: str, reason: str) -> Fact:
    """Unpin the environment. Raise CallerError when it is not pinned."""
    require_environment(ctx, environment)
    if facts_so_far(ctx).environment(environment).pinned is None:
        raise CallerError(f"{environment} is not pinned", hint="`promoter status` shows which environments are")
    return ctx.ledger.append(facts.Unpinned(reason=reason), environment)


def freeze(ctx: Context, environment: str | None, reason: str) -> Fact:
    """Block promotions into the environment, or into all without one, until it is unfrozen."""
    if environment is not None:
        require_environment(ctx, environment)
    facts_so_far(ctx)
    return ctx.ledger.append(facts.Frozen(reason=reason), environment)


def unfreeze(ctx: Context, environment: str | None, reason: str) -> Fact:
    """Unfreeze. Raise CallerError when nothing there is frozen, or when one is named and the freeze is for all."""
    if environment is not None:
        require_environment(ctx, environment)
    state = facts_so_far(ctx)
    if environment is None:
        mark = state.frozen
    else:
        mark = state.environments[environment].frozen if environment in state.environments else None
    if mark is None and environment is not None and state.frozen is not None:
        raise CallerError(
            f"{environment} is frozen because all environments are",
            hint="run `promoter unfreeze --reason …` to unfreeze all of them",
        )
    if mark is None:
        what = "not all environments are frozen" if environment is None else f"{environment} is not frozen"
        raise CallerError(what, hint="`promoter status` shows what is frozen")
    return ctx.ledger.append(facts.Unfrozen(reason=reason), environment)


def veto(ctx: Context, release: str, reason: str, services: Sequence[str] = ()) -> Vetoed:
    """Ban the release, and every other with one of its images.

    The banned images are those of `services`; by default those that are built here. A third-party image, which all
    releases share, is banned only if its service is named. If nothing is built here, all images are banned.
    """
    chosen = find_release(ctx, release)
    for name in services:
        if name not in chosen.images:
            hint = nearest(name, chosen.images) or f"it has {', '.join(chosen.images)}"
            raise CallerError(f"release {chosen.short_id} has no service {name!r}", hint=hint)
    builds = ctx.loaded.builds(chosen.source)
    built = [name for name in chosen.images if isinstance(builds.get(name), ToBuild)]
    digests = {str(chosen.images[name].digest) for name in (services or built or chosen.images)}
    fact = ctx.ledger.append(facts.Vetoed(reason=reason, digests=sorted(digests)), release=chosen.id)
    return Vetoed(fact, chosen, _where(ctx, digests, chosen.id))


def _where(ctx: Context, digests: set[str], release: str) -> tuple[str, ...]:
    state, found = ctx.ledger.state, []
    for name, entry in state.environments.items():
        if entry.current is None:
            continue
        current = state.releases[entry.current.release].release
        if current.id == release or digests & {str(image.digest) for image in current.images.values()}:
            found.append(name)
    return tuple(found)
