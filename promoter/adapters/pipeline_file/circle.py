"""Finds a circle among things that wait for one another."""

from collections import deque
from collections.abc import Mapping, Sequence


def find_circle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One circle, from its first member in the order of the map; empty when there is none."""
    waiting = {name: {n for n in needed if n in needs} for name, needed in needs.items()}
    wanted_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in waiting.items():
        for n in needed:
            wanted_by[n].append(name)
    ready = deque(name for name, needed in waiting.items() if not needed)
    while ready:
        done = ready.popleft()
        for name in wanted_by[done]:
            waiting[name].discard(done)
            if not waiting[name]:
                ready.append(name)
    left = {name: needed for name, needed in waiting.items() if needed}
    if not left:
        return ()
    walk = [next(iter(left))]
    while (following := next(n for n in needs[walk[-1]] if n in left)) not in walk:
        walk.append(following)
    circle = walk[walk.index(following) :]
    first = min(range(len(circle)), key=lambda i: list(needs).index(circle[i]))
    return (*circle[first:], *circle[:first])
