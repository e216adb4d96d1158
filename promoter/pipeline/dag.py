"""Directed graphs of dependencies: order, reachability and cycles."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter


def in_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return each node after all that it needs. Leave out nodes that are in a cycle or need one."""
    sorter = _sorter(needs)
    with suppress(CycleError):  # the sorter then returns all nodes that do not depend on a cycle
        sorter.prepare()
    order: list[str] = []
    while ready := sorter.get_ready():
        order += ready
        sorter.done(*ready)
    return order


def _sorter(needs: Mapping[str, Sequence[str]]) -> TopologicalSorter[str]:
    return TopologicalSorter({name: [other for other in needed if other in needs] for name, needed in needs.items()})


class Upstream:
    """Answers whether one node needs another, directly or not. Efficient also for long chains."""

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self._bit = {name: 1 << index for index, name in enumerate(needs)}
        self._before: dict[str, int] = {}
        for name in in_order(needs):
            self._before[name] = 0
            for needed in needs[name]:
                if needed in self._bit:
                    self._before[name] |= self._before[needed] | self._bit[needed]

    def is_upstream(self, earlier: str, later: str) -> bool:
        """Return whether `later` needs `earlier`. It is true for every `later` that is in a cycle or needs one."""
        return later not in self._before or bool(self._before[later] & self._bit[earlier])


def find_cycle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return one cycle, from its first member in the order of the mapping; empty if there is none."""
    try:
        _sorter(needs).prepare()
    except CycleError as error:
        cycle = error.args[1][:0:-1]  # the sorter names each node before the one that needs it, and the first one twice
        positions = {name: index for index, name in enumerate(needs)}
        first = min(range(len(cycle)), key=lambda i: positions[cycle[i]])
        return (*cycle[first:], *cycle[:first])
    return ()


def upto(needs: Mapping[str, tuple[str, ...]], last: str | None) -> tuple[str, ...]:
    """Return `last` and everything it needs, in the order of the file; without `last`, all environments."""
    if last is None:
        return tuple(needs)
    wanted, rest = set(), [last]
    while rest:
        name = rest.pop()
        if name not in wanted:
            wanted.add(name)
            rest += needs[name]
    return tuple(name for name in needs if name in wanted)
