"""`promoter drift`: one line for each environment, what is wrong first, with its findings below."""

from collections.abc import Iterator

from promoter.model.findings import Finding, FindingKind
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import Style, View
from promoter.usecases.drift import DriftReport, DriftStatus, EnvironmentDrift

_ORDER: tuple[DriftStatus, ...] = ("drifted", "unknown", "in_sync", "empty")
_SIGNS: dict[DriftStatus, tuple[str, Style, str]] = {
    "drifted": ("✗", "bad", "drifted"),
    "unknown": ("?", "wait", "unknown"),
    "in_sync": ("✓", "good", "in sync"),
    "empty": ("-", "dim", "nothing was promoted there"),
}
_REPAIRABLE = frozenset({FindingKind.MISSING, FindingKind.STOPPED, FindingKind.FRONT})
_INDENT = "    "


def drift(report: DriftReport, view: View) -> str:
    """Format the report."""
    ordered = sorted(report.environments, key=lambda one: _ORDER.index(one.status))
    width = max((len(one.name) for one in ordered), default=0)
    lines = [line for one in ordered for line in (*_head(one, width, view), *_details(one, view))]
    return "\n".join([view.line(report.pipeline, view.at(view.now)), *lines, *_not_compared(ordered, view)])


def _head(one: EnvironmentDrift, width: int, view: View) -> Iterator[str]:
    sign, style, word = _SIGNS[one.status]
    counts = [f"{len(one.findings)} finding{'s' if len(one.findings) != 1 else ''}"] if one.findings else []
    counts += [f"{len(one.ignored)} ignored"] if one.ignored else []
    release = f"  release {one.release if view.verbose else one.release[:12]}" if one.release else ""
    text = f"{one.name.ljust(width)}  {word}{_in_brackets(counts)}{release}"
    yield f"  {view.paint(sign, style)} {text}"


def _in_brackets(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _details(one: EnvironmentDrift, view: View) -> Iterator[str]:
    for reason in one.reasons:
        yield from view.wrap(clean(reason), _INDENT)
    for finding in one.findings:
        yield from view.wrap(clean(_sentence(finding)), f"{_INDENT}  ", _INDENT)
    if view.verbose:
        for finding in one.ignored:
            yield from view.wrap(f"ignored: {clean(_sentence(finding))}", f"{_INDENT}  ", _INDENT)
    if any(finding.kind in _REPAIRABLE for finding in one.findings):
        yield f"{_INDENT}next: {view.command(f'promoter repair {one.name}')}"


def _sentence(finding: Finding) -> str:
    owner = ": ".join(text for text in (finding.host, finding.container) if text)
    where = f" [{owner}]" if owner else ""
    expected = "nothing" if finding.expected is None else finding.expected
    found = "nothing" if finding.found is None else finding.found
    return f"{finding.kind} {finding.path}{where}: expected {expected}, found {found}"


def _not_compared(environments: list[EnvironmentDrift], view: View) -> Iterator[str]:
    """Yield what was not compared, each once, so that a report does not claim more than was done."""
    notes: dict[str, list[str]] = {}
    for one in environments:
        for note in one.not_compared:
            notes.setdefault(note, []).append(one.name)
    if notes:
        yield view.paint("not compared:", "dim")
    for note, names in notes.items():
        yield from view.wrap(f"{', '.join(names)}: {clean(note)}")
