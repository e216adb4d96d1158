"""Jobs before the switch that cannot be undone: which of them have run in a promotion. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

Jobs = Mapping[str, bool]
"""The titles of irreversible jobs that were started, and whether each has finished."""


def jobs_of_earlier_try(plan: Mapping[str, Any], done: Collection[str]) -> Jobs:
    """Return the jobs that an interrupted try has finished or may have started. `done` has the steps that it recorded.

    A step may have been running if all steps before it were done.
    """
    found: dict[str, bool] = {}
    for step in plan["steps"]:
        finished = step["id"] in done
        if step["kind"] == "before" and _is_irreversible(plan["before"][step["place"]]):
            found[step["check"]] = finished
        if not finished:
            break
    return found


def sentences(jobs: Jobs) -> tuple[str, ...]:
    """Report each job of a failed promotion, for people."""
    return tuple(
        f"{title} {'has run' if finished else 'was started and did not finish'}: what it has changed cannot be undone, "
        "also if earlier containers run again"
        for title, finished in jobs.items()
    )


def _is_irreversible(check: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(content.get("reversible") is False for content in check.values())
