"""Check that everything that a run may need is reachable, before anything is changed."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from promoter.model.errors import PromoterError, StartError
from promoter.model.release import Release, Source
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import NO_RELEASE, Environment
from promoter.promotion import progress
from promoter.promotion.build import build_secrets, registries
from promoter.promotion.inspection.hosts import ask_hosts, require_answers
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
    secrets = {name for environment in environments for name in secret_names(environment)}
    if release is None:
        wanted = ctx.loaded.builds(source)
        hosts = registries(wanted)
        secrets |= build_secrets(wanted)
    else:
        hosts = {image.repository.host for image in release.images.values()} if environments else set()
    hosts |= {repository.host for environment in environments for repository in environment.target_repositories.values()}
    reached = _answer(ctx, environments, {None} if release is None else set(), hosts, secrets)
    _require_free_ports(ctx, [one.on(host) for one in environments for host in reached.get(one.name, one.hosts)])


def require_reachable(ctx: Context, plans: Iterable[Plan]) -> None:
    """Check engines and registries of recorded plans. Their secrets are needed only to create a container."""
    plans = tuple(plans)
    ctx.loaded.check()
    _answer(
        ctx,
        [plan.environment for plan in plans],
        set(),
        {image.repository.host for plan in plans for image in plan.images.values()},
        set(),
    )


def _require_free_ports(ctx: Context, environments: Iterable[Environment]) -> None:
    """Refuse ports that others have, before anything is built. Behind gates they may be free in time: only tell."""
    wanted = [
        one
        for one in environments
        if one.swarm is None and any(port.published for s in one.services.values() for port in s.ports)
    ]
    by_engine: dict[str | None, list[Environment]] = {}
    for one in wanted:
        by_engine.setdefault(one.engines[0], []).append(one)
    used = {address: ports_in_use(ctx.ports.engine(address), there) for address, there in by_engine.items()}
    taken: dict[str, list[str]] = {}
    for one in wanted:
        taken.setdefault(one.name, []).extend(taken_ports(one, ctx.name, used[one.engines[0]]))
    gated = {one.name for one in wanted if one.gates}
    for text in (text for name in gated for text in taken[name]):
        ctx.emit(progress.Notice(text))
    refused = [text for name, texts in taken.items() if name not in gated for text in texts]
    if refused:
        raise StartError("\n".join(refused), hint=REMEDY)


def _answer(
    ctx: Context, environments: list[Environment], addresses: set[str | None], registry_hosts: set[str], secrets: set[str]
) -> dict[str, tuple[Host, ...]]:
    """Return the hosts that answer, of environments with several. Raise one error that lists everything that is missing."""
    reached: dict[str, tuple[Host, ...]] = {}

    def reach(environment: Environment) -> None:
        reached[environment.name] = _reached(ctx, environment)

    several = [one for one in environments if one.rollout is not None]
    alone = {str(one.hosts[0].document()): one.hosts[0] for one in environments if one.rollout is None}
    alone |= {str(Host(engine=address).document()): Host(engine=address) for address in addresses}
    calls: list[Callable[[], object]] = [partial(ctx.ports.secrets.prove, sorted(secrets))] if secrets else []
    calls += [partial(_identify, ctx.ports, host) for _, host in sorted(alone.items())]
    calls += [partial(reach, environment) for environment in several]
    calls += [partial(ctx.ports.registry.ping, host) for host in sorted(registry_hosts)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(call) for call in calls]
    errors = [error for outcome in outcomes if (error := outcome.exception()) is not None]
    if errors:
        raise _together(errors)
    return reached


def _reached(ctx: Context, environment: Environment) -> tuple[Host, ...]:
    """Return the hosts that answer. Raise HostUnreachable for the others, unless the file says to skip them."""
    answers = ask_hosts(environment.hosts, lambda host: _identify(ctx.ports, host))
    return tuple(host for host, _ in require_answers(environment, answers))


def _identify(ports: UseCasePorts, host: Host) -> None:
    identified(ports.at(host), ports.clock)


def _together(errors: list[BaseException]) -> BaseException:
    """Combine errors to one, so that everything can be fixed at once."""
    known = [error for error in errors if isinstance(error, PromoterError)]
    if len(known) < 2 or len(known) < len(errors):
        return errors[0]
    text = "\n".join(error.message for error in known)
    hints = "\n".join(dict.fromkeys(error.hint for error in known if error.hint))
    return type(known[0])(text, hint=hints or None)
