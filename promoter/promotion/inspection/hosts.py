"""Ask the engines of all hosts of an environment, side by side. A host that does not answer is an answer too."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from promoter.model.errors import EngineError, HostUnreachable
from promoter.model.labels import Namespace
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import Environment
from promoter.promotion.ports.engine import Container, Engine

T = TypeVar("T")
EngineAt = Callable[[str | None], Engine]
PARALLEL = 32
"""The largest number of hosts that are asked at the same time."""


def ask_hosts(hosts: tuple[Host, ...], ask: Callable[[Host], T]) -> list[tuple[Host, T | EngineError]]:
    """Return the answer of each host, or the error of its engine. Raise every other error."""

    def tolerant(host: Host) -> T | EngineError:
        try:
            return ask(host)
        except EngineError as error:
            return error

    if len(hosts) == 1:
        return [(hosts[0], tolerant(hosts[0]))]
    with ThreadPoolExecutor(min(PARALLEL, len(hosts))) as pool:
        return list(zip(hosts, pool.map(tolerant, hosts), strict=True))


def unreachable(silent: Sequence[tuple[Host, EngineError]]) -> EngineError:
    """Return one error for all hosts that do not answer."""
    if not silent[0][0].name:
        return silent[0][1]
    lines = [f"host {host.shown} does not answer: {error.message}" for host, error in silent]
    hint = "no host was changed; to go on without such hosts, write `rollout: {unreachable: skip}`"
    return HostUnreachable("\n".join(lines), hint=hint)


def containers_on(engine: EngineAt, namespace: Namespace, environment: Environment) -> list[tuple[Host, Container]]:
    """Return the containers of all hosts. Raise EngineError for the first host that does not answer."""
    found = ask_hosts(environment.hosts, lambda host: engine(host.engine).find(namespace.labels))
    error = next((answer for _, answer in found if isinstance(answer, EngineError)), None)
    if error is not None:
        raise error
    return [(host, one) for host, answer in found if not isinstance(answer, EngineError) for one in answer]
