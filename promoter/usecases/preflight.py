"""Check that everything that a run may need is reachable, before anything is changed."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from promoter.model.errors import PromoterError, StartError
from promoter.model.release import Release, Source
from promoter.pipeline.model import NO_RELEASE, Environment
from promoter.promotion import progress
from promoter.promotion.build import build_secrets, registries
from promoter.promotion.inspection.taken_ports import REMEDY, ports_in_use, taken_ports
from promoter.promotion.plan import Plan, secret_names
from promoter.promotion.reconnect import identified
from promoter.usecases.context import Context
from promoter.usecases.ports.bundle import UseCasePorts


def preflight(ctx: Context, targets: Iterable[str], source: Source, release: Release | None) -> None:
    """Check every environment's configuration, engine, registry and secret that this run may need.

    Without a release, one will be built: then the local engine and the registries of the builds are checked too.
    """
    ctx.loaded.check()
    environments = [ctx.loaded.resolve(name, source, release.id if release else NO_RELEASE) for name in targets]
    addresses = {environment.engines[0] for environment in environments}
    secrets = {name for environment in environments for name in secret_names(environment)}
    if release is None:
        wanted = ctx.loaded.builds(source)
        addresses.add(None)
        hosts = registries(wanted)
        secrets |= build_secrets(wanted)
    else:
        hosts = {image.repository.host for image in release.images.values()} if environments else set()
    hosts |= {repository.host for environment in environments for repository in environment.target_repositories.values()}
    _answer(ctx, addresses, hosts, secrets)
    _require_free_ports(ctx, environments)


def require_reachable(ctx: Context, plans: Iterable[Plan]) -> None:
    """Check engines and registries of recorded plans. Their secrets are needed only to create a container."""
    plans = tuple(plans)
    addresses = {plan.environment.engines[0] for plan in plans}
    ctx.loaded.check()
    _answer(ctx, addresses, {image.repository.host for plan in plans for image in plan.images.values()}, set())


def _require_free_ports(ctx: Context, environments: Iterable[Environment]) -> None:
    """Refuse ports that others have, before anything is built. Behind gates they may be free in time: only tell."""
    wanted = [one for one in environments if any(port.published for s in one.services.values() for port in s.ports)]
    by_engine: dict[str | None, list[Environment]] = {}
    for one in wanted:
        by_engine.setdefault(one.engines[0], []).append(one)
    used = {address: ports_in_use(ctx.ports.engine(address), there) for address, there in by_engine.items()}
    taken = {one.name: list(taken_ports(one, ctx.name, used[one.engines[0]])) for one in wanted}
    gated = {one.name for one in wanted if one.gates}
    for text in (text for name in gated for text in taken[name]):
        ctx.emit(progress.Notice(text))
    refused = [text for name, texts in taken.items() if name not in gated for text in texts]
    if refused:
        raise StartError("\n".join(refused), hint=REMEDY)


def _answer(ctx: Context, addresses: set[str | None], hosts: set[str], secrets: set[str]) -> None:
    """Raise one error that lists everything that is missing."""
    calls: list[Callable[[], object]] = [partial(ctx.ports.secrets.prove, sorted(secrets))] if secrets else []
    calls += [partial(_identify, ctx.ports, address) for address in sorted(addresses, key=str)]
    calls += [partial(ctx.ports.registry.ping, host) for host in sorted(hosts)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(call) for call in calls]
    errors = [error for outcome in outcomes if (error := outcome.exception()) is not None]
    if errors:
        raise _together(errors)


def _identify(ports: UseCasePorts, address: str | None) -> None:
    identified(ports.engine(address), ports.clock)


def _together(errors: list[BaseException]) -> BaseException:
    """Combine errors to one, so that everything can be fixed at once."""
    known = [error for error in errors if isinstance(error, PromoterError)]
    if len(known) < 2 or len(known) < len(errors):
        return errors[0]
    text = "\n".join(error.message for error in known)
    hints = "\n".join(dict.fromkeys(error.hint for error in known if error.hint))
    return type(known[0])(text, hint=hints or None)
