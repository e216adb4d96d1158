"""The fronts in `promoter status`: one line for each server that has something to do."""

from collections.abc import Iterator, Sequence

from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import Cell, View
from promoter.usecases.status import EnvironmentStatus

_HEAD = ("ENV", "SERVICE", "PORT", "ANSWERED", "ERRORS", "OPEN", "NEW REQUESTS", "CONTAINER")


def fronts(environments: Sequence[EnvironmentStatus], view: View) -> list[str]:
    """Return a table of the servers of all fronts; nothing without a front."""
    rows: list[Sequence[Cell | str]] = [row for one in environments for row in _rows(one)]
    return ["", *view.table([_HEAD, *rows])] if rows else []


def _rows(environment: EnvironmentStatus) -> Iterator[Sequence[Cell | str]]:
    front = environment.front
    if front is None:
        return
    if front.problem is not None:
        yield environment.name, "front", *["-"] * 5, Cell(clean(front.problem), "bad")
    for one in front.servers:
        counts = (str(one.port), str(one.answered), str(one.errors), str(one.open))
        yield environment.name, one.service, *counts, "yes" if one.gets_requests else "no", clean(one.container or "-")
