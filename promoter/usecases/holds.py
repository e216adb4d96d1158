"""The stop buttons: a pin keeps one environment as it is, a freeze lets nothing in, a veto bans a release for ever.

Each is a fact with a reason. `promotion/admission/holds.py` says what they mean to a promotion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from promoter.ledger import facts
from promoter.ledger.chain import Fact
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.model.suggest import nearest
from promoter.pipeline.model import ToBuild
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment


@dataclass(frozen=True)
class Vetoed:
    """A veto that was recorded, and where it finds what it bans: that goes on running until somebody rolls back."""

    fact: Fact
    release: Release
    runs_in: tuple[str, ...]


def pin(ctx: Context, environment: str, reason: str) -> Fact:
    """Automatic promotion leaves the environment alone until it is unpinned."""
    require_environment(ctx, environment)
    return ctx.ledger.append(facts.Pinned(reason=reason), environment)


def unpin(ctx: Context, environment: str, reason: str) -> Fact:
    """Raises CallerError when it is not pinned."""
    require_environment(ctx, environment)
    if facts_so_far(ctx).environment(environment).pinned is None:
        raise CallerError(f"{environment} is not pinned", hint="`promoter status` shows what is")
    return ctx.ledger.append(facts.Unpinned(reason=reason), environment)


def freeze(ctx: Context, environment: str | None, reason: str) -> Fact:
    """Nothing may enter the environment, or any without one, until it is unfrozen."""
    if environment is not None:
        require_environment(ctx, environment)
    facts_so_far(ctx)
    return ctx.ledger.append(facts.Frozen(reason=reason), environment)


def unfreeze(ctx: Context, environment: str | None, reason: str) -> Fact:
    """Raises CallerError when nothing there is frozen, or when all are and one is named."""
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
            hint="`promoter unfreeze --reason …` lifts that, for all of them",
        )
    if mark is None:
        what = "there is no freeze of all environments" if environment is None else f"{environment} is not frozen"
        raise CallerError(what, hint="`promoter status` shows what is frozen")
    return ctx.ledger.append(facts.Unfrozen(reason=reason), environment)


def veto(ctx: Context, release: str, reason: str, services: Sequence[str] = ()) -> Vetoed:
    """Bans the release, and every other that holds one of its images.

    Its images are those of `services`; without, those that are built here: an image of others, which all
    releases share, bans nothing unless somebody says so. Where nothing is built here, all count.
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
        here = state.releases[entry.current.release].release
        if here.id == release or digests & {str(image.digest) for image in here.images.values()}:
            found.append(name)
    return tuple(found)
