"""What runs on the hosts of an environment now, as their engines show it."""

from collections.abc import Mapping, Sequence

from promoter.ledger.deployment import Deployment, Running
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError, PromoterError
from promoter.model.labels import Namespace, color_of
from promoter.pipeline.front import FRONT
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import NO_RELEASE, Environment
from promoter.promotion.inspection.hosts import DEADLINE, ask_hosts, side_by_side
from promoter.promotion.ports.container import Container
from promoter.usecases.context import Context
from promoter.usecases.front_traffic import FrontStatus, front_status

_WORST_FIRST = ("missing", "unhealthy", "stopped", "degraded", "starting", "running", "healthy", "completed")
Answers = Sequence[tuple[Host, tuple[Container, ...] | EngineError]]
"""The containers of each host, or the error of its engine."""
DOWN = _WORST_FIRST[:4]
"""Words for containers that do not serve."""


@dataclass(frozen=True)
class HostStatus:
    """One host of an environment; without a name, the only one. `behind` is why it does not have the environment's release."""

    name: str
    release: str | None
    health: str | None
    behind: str | None = None
    faults: tuple[str, ...] = ()
    front: FrontStatus | None = None
    """None without a front, or if it was not asked."""

    def document(self) -> dict[str, object]:
        return {
            "name": self.name,
            "release": self.release,
            "health": self.health,
            "behind": self.behind,
            "faults": list(self.faults),
            "front": self.front.document() if self.front else None,
        }


def ask_about(ctx: Context, deployed: Mapping[str, Deployment], *, fronts: bool) -> dict[str, tuple[HostStatus, ...]]:
    """Return what runs on each host of these environments now; with `fronts` also what its front does.

    The hosts of all environments are asked side by side, within one deadline.
    """
    found: dict[str, tuple[HostStatus, ...]] = {}
    asked: list[tuple[str, Host]] = []
    for name in deployed:
        try:
            asked += [(name, host) for host in _environment(ctx, name).hosts]
        except PromoterError as error:
            found[name] = (HostStatus("", None, "unknown", None, (f"the engine of {name} does not answer: {error.message}",)),)

    def ask(one: tuple[str, Host]) -> tuple[tuple[Container, ...], FrontStatus | None]:
        name, host = one
        containers = ctx.ports.at(host).find(Namespace(ctx.name, name).labels)
        has_front = fronts and FRONT in deployed[name].services and any(color_of(one.labels) for one in containers)
        return containers, front_status(ctx.ports.engine(host.engine), containers) if has_front else None

    for (name, host), answer in zip(asked, side_by_side(asked, ask, DEADLINE), strict=True):
        found[name] = (*found.get(name, ()), _host(name, host, answer, deployed[name]))
    return found


def _host(
    name: str, host: Host, answer: tuple[tuple[Container, ...], FrontStatus | None] | EngineError, current: Deployment
) -> HostStatus:
    there = current.on(host.name)
    behind = current.behind.get(host.name) or (None if there else "nothing was promoted to it yet")
    release = there.release if there else None
    if isinstance(answer, EngineError):
        what = f"host {host.name}" if host.name else f"the engine of {name}"
        return HostStatus(host.name, release, "unknown", behind, (f"{what} does not answer: {answer.message}",))
    if there is None:
        return HostStatus(host.name, None, None, behind)
    found, front = answer
    seen = {container.id: container for container in found}
    containers = [(name, running, seen.get(c)) for name, running in there.services.items() for c in running.containers]
    words = [(name, _word(found, running), found) for name, running, found in containers]
    health = next((word for word in _WORST_FIRST if any(word == one for _, one, _ in words)), "running")
    prefix = f"{host.name}: " if host.name else ""
    faults = tuple(dict.fromkeys(f"{prefix}{name} is {_in_words(word, one)}" for name, word, one in words if word in DOWN))
    return HostStatus(host.name, release, health, behind, faults, front)


def worst(hosts: tuple[HostStatus, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the worst health of all hosts, and a sentence for each service that does not serve and each host that is behind."""
    found = {host.health for host in hosts}
    health = next((word for word in (*DOWN, "unknown", *_WORST_FIRST[len(DOWN) :]) if word in found), "running")
    behind = tuple(f"{host.name} is behind: {host.behind}" for host in hosts if host.behind)
    return health, (*(fault for host in hosts for fault in host.faults), *behind)


def containers_of(ctx: Context, name: str) -> tuple[tuple[Host, Container], ...]:
    """Return the containers of the hosts that answer."""
    try:
        answers = containers_by_host(ctx, name)
    except PromoterError:
        return ()
    return tuple((host, one) for host, answer in answers if not isinstance(answer, EngineError) for one in answer)


def containers_by_host(ctx: Context, name: str) -> Answers:
    """Return the containers of each host, or the error of its engine. Raise the error if no host answers."""
    namespace = Namespace(ctx.name, name)
    answers = ask_hosts(_environment(ctx, name).hosts, lambda host: ctx.ports.at(host).find(namespace.labels), DEADLINE)
    silent = [answer for _, answer in answers if isinstance(answer, EngineError)]
    if len(silent) == len(answers):
        raise silent[0]
    return answers


def _environment(ctx: Context, name: str) -> Environment:
    return ctx.loaded.resolve(name, ctx.ports.source.source(ctx.pipeline.directory), NO_RELEASE)


def _in_words(word: str, container: Container | None) -> str:
    """Return the word, with the tasks of a service of a swarm that do not run."""
    return f"{word}: {container.shortfall}" if container is not None and container.shortfall else word


def _word(container: Container | None, recorded: Running) -> str:
    if container is None:
        return "missing"
    if container.shortfall:
        return "degraded"
    if container.running:
        proven = container.health == "starting" and container.started_at in recorded.started
        return "healthy" if proven else container.health or "running"
    return "completed" if container.status == "exited" and container.exit_code == 0 else "stopped"
