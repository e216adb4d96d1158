"""`promoter status`: one line for each environment, and below what is wrong and what waits, with the command for it."""

from collections.abc import Iterator, Sequence

from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.ui.reports.front import fronts
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import SHORT, Cell, Style, View
from promoter.usecases.host_status import HostStatus
from promoter.usecases.status import EnvironmentStatus, StatusReport

_REASONS = 3
"""The most reasons of a failure that are shown; `promoter history -v` has all."""
_HEALTH: dict[str, tuple[str, Style]] = {
    "healthy": ("✓", "good"),
    "running": ("✓", "good"),
    "completed": ("✓", "good"),
    "starting": ("…", "wait"),
    "missing": ("✗", "bad"),
    "unhealthy": ("✗", "bad"),
    "degraded": ("✗", "bad"),
    "stopped": ("✗", "bad"),
    "unknown": ("?", "wait"),
}
Note = tuple[str, Style, list[str]]
"""A sign, its style and lines: what a person should know of an environment."""


def matrix(report: StatusReport, view: View) -> str:
    """Format one line for each environment; below, what is wrong, what waits and why, the worst first."""
    head: tuple[str, ...] = ("ENV", "RELEASE", "SOURCE", "SINCE", "HEALTH", "NOTE")
    rows: list[Sequence[Cell | str]] = [(*head[:3], "DIGEST", *head[3:]) if view.verbose else head]
    for environment in report.environments:
        rows += [_row(environment, view), *(_host_row(host, view) for host in environment.hosts)]
    notes = [(e.name, note) for e in report.environments for note in _notes(e, view)]
    notes.sort(key=lambda item: "✗!⏸".index(item[1][0]))
    width = max((len(name) for name, _ in notes), default=0)
    lines = [line for name, note in notes for line in _lines(name.ljust(width), note, view)]
    below = [*(["", *lines] if lines else []), *fronts(report.environments, view)]
    return "\n".join([view.line(report.pipeline, view.at(view.now)), *view.table(rows), *below])


def _row(environment: EnvironmentStatus, view: View) -> Sequence[Cell | str]:
    release = environment.release
    sign, style = _HEALTH.get(environment.health or "", ("", ""))
    notes = ", ".join(word for word, reason in _holds(environment) if reason)
    cells: list[Cell | str] = [
        environment.name,
        short(release.id, view) if release else "-",
        clean(source(release)) if release else "-",
        view.ago(environment.since) if environment.since else "-",
        Cell(f"{sign} {environment.health}" if environment.health else "-", style),
        Cell(notes, "wait"),
    ]
    if view.verbose:
        cells.insert(3, digest(release) if release else "-")
    return cells


def _host_row(host: HostStatus, view: View) -> Sequence[Cell | str]:
    """Return the row of one host, below its environment."""
    sign, style = _HEALTH.get(host.health or "", ("", ""))
    release = short(host.release, view) if host.release else "-"
    health = Cell(f"{sign} {host.health}" if host.health else "-", style)
    cells: list[Cell | str] = [f"  {clean(host.name)}", release, "", "", health, Cell("behind" if host.behind else "", "wait")]
    if view.verbose:
        cells.insert(3, "")
    return cells


def _notes(environment: EnvironmentStatus, view: View) -> Iterator[Note]:
    command, shown = environment.next, False
    for fault in environment.faults:
        yield "✗", "bad", [clean(fault), *(_next(command, view) if not shown else [])]
        shown = True
    if environment.vetoed:
        yield "!", "bad", [f"the release that runs is vetoed by {clean(environment.vetoed)}"]
    if (failure := environment.failure) is not None:
        reasons = [clean(reason) for reason in failure.reasons[: None if view.verbose else _REASONS]]
        head = f"promotion of {short(failure.release, view)} failed at {view.at(failure.at)} ({failure.reason_code})"
        yield "!", "bad", [f"{head}: {reasons[0]}" if reasons else head, *reasons[1:]]
    for word, reason in _holds(environment)[:2]:
        if reason:
            yield "!", "wait", [f"{word}: {clean(reason)}"]
    for sentence in environment.overridden:
        yield "!", "wait", [clean(sentence)]
    if (waiting := environment.waiting) is not None:
        is_open = waiting.reason_code == ReasonCode.OK
        head = f"{short(waiting.release, view)} " + ("can be promoted" if is_open else f"waits ({waiting.reason_code})")
        lines = ["all gates are open"] if is_open else [clean(reason) for reason in waiting.reasons]
        yield "⏸", "wait", [f"{head}: {lines[0]}" if lines else head, *lines[1:], *(_next(command, view) if not shown else [])]
        shown = True
    if command and not shown:
        yield "!", "wait", _next(command, view)


def _next(command: str | None, view: View) -> list[str]:
    return [f"next: {view.command(command)}"] if command else []


def _lines(name: str, note: Note, view: View) -> list[str]:
    sign, style, texts = note
    indent = " " * (len(name) + 4)
    first, *more = view.wrap(texts[0], indent, f"{sign} {name}  ")
    painted = view.paint(sign, style) + first.removeprefix(sign)
    return [painted, *more, *(line for text in texts[1:] for line in view.wrap(text, indent))]


def _holds(environment: EnvironmentStatus) -> tuple[tuple[str, str | None], ...]:
    by = "; ".join(environment.overridden)
    return ("pinned", environment.pinned), ("frozen", environment.frozen), ("passed by override", by)


def source(release: Release) -> str:
    """Return the commit and the branch that a release was built from."""
    made = release.source
    words = [(made.sha or "")[:SHORT], made.branch or "", "(changed)" if made.dirty else ""]
    return " ".join(word for word in words if word) or "-"


def short(release: str, view: View) -> str:
    return release if view.verbose else release[:SHORT]


def digest(release: Release) -> str:
    """Return the short digest of the only image, or the number of images."""
    digests = sorted({ref.digest.hex[:12] for ref in release.images.values()})
    return digests[0] if len(digests) == 1 else f"{len(digests)} images"
