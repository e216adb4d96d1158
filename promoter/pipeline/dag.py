"""Directed graphs of dependencies: order, reachability and cycles."""

from collections import deque
from collections.abc import Mapping, Sequence


def in_order(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return each node after all that it needs. Leave out nodes that are in a cycle or need one."""
    waiting = {name: {n for n in needed if n in needs} for name, needed in needs.items()}
    wanted_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in waiting.items():
        for n in needed:
            wanted_by[n].append(name)
    ready = deque(name for name, needed in waiting.items() if not needed)
    order = []
    while ready:
        done = ready.popleft()
        order.append(done)
        for name in wanted_by[done]:
            waiting[name].discard(done)
            if not waiting[name]:
                ready.append(name)
    return order


class Upstream:
    """Answers whether one node needs another, directly or not. Efficient also for long chains."""

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self._bit = {name: 1 << place for place, name in enumerate(needs)}
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
    free = set(in_order(needs))
    left = {name for name in needs if name not in free}
    if not left:
        return ()
    path = [next(name for name in needs if name in left)]
    while (following := next(n for n in needs[path[-1]] if n in left)) not in path:
        path.append(following)
    cycle = path[path.index(following) :]
    places = {name: place for place, name in enumerate(needs)}
    first = min(range(len(cycle)), key=lambda i: places[cycle[i]])
    return (*cycle[first:], *cycle[:first])
