"""Ask the engines of all hosts of an environment, side by side. A host that does not answer is an answer too."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Semaphore, Thread
from time import monotonic
from typing import TypeVar

from promoter.model.errors import EngineError, HostUnreachable, PromoterError
from promoter.model.labels import Namespace
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import Environment
from promoter.promotion.futures import NOTICED
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.runtime import Runtime

K = TypeVar("K")
T = TypeVar("T")
RuntimeAt = Callable[[Host], Runtime]
PARALLEL = 32
"""The largest number of hosts that are asked at the same time."""
DEADLINE = 15.0
"""Seconds in which a host must answer a command that only looks."""


def ask_hosts(
    hosts: tuple[Host, ...], ask: Callable[[Host], T], within: float | None = None
) -> list[tuple[Host, T | EngineError]]:
    """Return the answer of each host, or the error of its engine. Raise as `side_by_side` does."""
    return list(zip(hosts, side_by_side(hosts, ask, within), strict=True))


def side_by_side(keys: Sequence[K], ask: Callable[[K], T], within: float | None = None) -> list[T | EngineError]:
    """Return what `ask` answers for each key, or the error of its engine. Raise every other error.

    One that has not answered `within` these seconds counts as an engine that does not answer.
    """
    if within is not None:
        return _in_time(keys, ask, within)
    if len(keys) == 1:
        return [_tolerant(ask, keys[0])]
    with ThreadPoolExecutor(min(PARALLEL, len(keys))) as pool:
        return list(pool.map(partial(_tolerant, ask), keys))


def _tolerant(ask: Callable[[K], T], key: K) -> T | EngineError:
    try:
        return ask(key)
    except EngineError as error:
        return error


def _in_time(keys: Sequence[K], ask: Callable[[K], T], within: float) -> list[T | EngineError]:
    """Do it with threads that are not waited for at the end of the process: one may hang for a minute."""
    gate, ends = Semaphore(PARALLEL), monotonic() + within
    found: dict[int, T | EngineError] = {}
    raised: list[PromoterError] = []

    def answer(index: int) -> None:
        with gate:
            try:
                found[index] = _tolerant(ask, keys[index])
            except PromoterError as error:
                raised.append(error)

    threads = [Thread(target=answer, args=(index,), daemon=True) for index in range(len(keys))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and (left := ends - monotonic()) > 0:
            thread.join(min(NOTICED, left))  # a signal is noticed in between
    if raised:
        raise raised[0]
    silent = EngineError(f"no answer within {within:g} s", hint="look at the host and the connection to it")
    return [found.get(index, silent) for index in range(len(keys))]


def require_answers(environment: Environment, answers: Sequence[tuple[Host, T | EngineError]]) -> list[tuple[Host, T]]:
    """Return the hosts that answered. Raise for the others, unless the file says to skip them and at least one answered."""
    silent = [(host, answer) for host, answer in answers if isinstance(answer, EngineError)]
    skips = environment.rollout is not None and environment.rollout.unreachable == "skip"
    if silent and (not skips or len(silent) == len(answers)):
        raise unreachable(silent)
    return [(host, answer) for host, answer in answers if not isinstance(answer, EngineError)]


def unreachable(silent: Sequence[tuple[Host, EngineError]]) -> EngineError:
    """Return one error for all hosts that do not answer."""
    if not silent[0][0].name:
        return silent[0][1]
    lines = [f"host {host.shown} does not answer: {error.message}" for host, error in silent]
    hint = "no host was changed; to go on without such hosts, write `rollout: {unreachable: skip}`"
    return HostUnreachable("\n".join(lines), hint=hint)


def containers_on(at: RuntimeAt, namespace: Namespace, environment: Environment) -> list[tuple[Host, Container]]:
    """Return the containers of all hosts. Raise EngineError for the first host that does not answer."""
    found = ask_hosts(environment.hosts, lambda host: at(host).find(namespace.labels))
    error = next((answer for _, answer in found if isinstance(answer, EngineError)), None)
    if error is not None:
        raise error
    return [(host, one) for host, answer in found if not isinstance(answer, EngineError) for one in answer]
