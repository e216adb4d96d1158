"""The log of a service: the lines of several tasks, whose order is not that of their times. Pure.

`since` has the time of the last line of each task, so that no line is shown twice and none is left out.
"""

from promoter.adapters.engine.log_lines import unix
from promoter.model.pattern import pattern
from promoter.promotion.ports.container import LogPart

_LATE = 60
"""Seconds by which the clock of a node may be behind that of another, and its lines late."""
_TASK = pattern(r"com\.docker\.swarm\.task\.id=([^,\s]+)")


def begin(since: str) -> str:
    """Return the time, in seconds since 1970, from which the log must be read."""
    whole, _, fraction = unix(max(_ends(since).values())).partition(".")
    return f"{int(whole) - _LATE}.{fraction}"


def log_part(output: str, since: str) -> LogPart:
    """Return the lines that were written after `since`. Each has its time, the details of its task, and its text."""
    known, ends, fresh = _ends(since), _ends(since), list[str]()
    for line in output.splitlines(keepends=True):
        at, _, rest = line.partition(" ")
        details, _, text = rest.partition(" ")
        found = _TASK.search(details)
        task = found[1] if found else ""
        if at > known.get(task, ""):
            fresh.append(text)
            ends[task] = max(at, ends.get(task, ""))
    return LogPart("".join(fresh), _recent(ends) if fresh else since)


def _ends(since: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in since.split())


def _recent(ends: dict[str, str]) -> str:
    """Return the ends without those of tasks whose last line will not be read again."""
    pairs = " ".join(f"{task}={at}" for task, at in ends.items())
    first = float(begin(pairs))
    return " ".join(f"{task}={at}" for task, at in ends.items() if float(unix(at)) >= first)
