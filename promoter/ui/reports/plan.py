"""`promoter plan`: for each environment the releases, what changes, the steps and the gates."""

from collections.abc import Mapping
from typing import Any

from promoter.gates.evaluate import GateResult
from promoter.model.diff import format_change
from promoter.model.verdict import Outcome
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import clean, cut_digests
from promoter.ui.reports.summary import images, origin
from promoter.ui.reports.view import SHORT, Style, View

SIGNS: dict[str, tuple[str, Style]] = {
    Outcome.PASSED: ("✓", "good"),
    Outcome.WAITING: ("⏸", "wait"),
    Outcome.REFUSED: ("✗", "bad"),
}


def planned(result: RunResult, view: View) -> str:
    """Format every environment that `promote` would reach, in order."""
    release, lines = result.release, list[str]()
    if release is not None:
        lines.append(view.line(f"{result.pipeline}: plan for release {release.short_id}{origin(release)}"))
        lines += [images(release)] if view.verbose else []
    width = max((len(one.name) for one in result.environments), default=0)
    for environment in result.environments:
        lines += _environment(environment, width, view)
    return "\n".join([*lines, "", _total(result)])


def _environment(environment: EnvironmentResult, width: int, view: View) -> list[str]:
    details: Mapping[str, Any] = environment.details
    sign, what, style = _what(environment)
    indent = " " * (width + 6)
    first, *more = view.wrap(what, indent)
    head = f"  {view.paint(sign, style)} {environment.name.ljust(width)}  "
    lines = [head + view.paint(first.removeprefix(indent), style), *(view.paint(line, style) for line in more)]
    for text in _notes(details):
        lines += view.wrap(clean(text), f"{indent}  ", indent)
    if environment.status is Status.UNCHANGED or details.get("repair"):
        return lines
    if view.verbose:
        lines.append(f"{indent}plan {environment.plan_digest}")
    for change in details["changes"]:
        text = format_change(change)
        lines += view.wrap(clean(text if view.verbose else cut_digests(text)), f"{indent}    ", indent)
    for text in _gap(details.get("gap") or {}):
        lines += view.wrap(text, f"{indent}  ", indent)
    if batches := details.get("batches"):
        lines += view.wrap("hosts: " + "; then ".join(clean(", ".join(batch)) for batch in batches), f"{indent}  ", indent)
    lines += _steps(details["steps"], indent, view)
    for gate in details["gates"]:
        mark, _ = SIGNS[gate["outcome"]]
        lines += view.wrap(f"{mark} {clean(gate['gate'])}: {clean(gate['sentence'])}", f"{indent}  ", indent)
    return lines


def _what(environment: EnvironmentResult) -> tuple[str, str, Style]:
    details: Mapping[str, Any] = environment.details
    if environment.status is Status.UNCHANGED:
        return "=", "unchanged", ""
    if details.get("repair"):
        return "⟳", f"repair {details['to'][:SHORT]}: {'; '.join(clean(one) for one in details['repair'])}", "wait"
    before, after = (details["from"] or "nothing")[:SHORT], details["to"][:SHORT]
    return "~", f"{after} with another configuration" if before == after else f"{before} -> {after}", "wait"


def _notes(details: Mapping[str, Any]) -> list[str]:
    unnamed = (details.get("unnamed_volumes") or {}).items()
    found = [f"note: {name} keeps data in {path}, where no named volume is mounted" for name, paths in unnamed for path in paths]
    if missing := details.get("assumed_secrets"):
        found.append(f"note: secret {', '.join(missing)} is missing here: assumed to be as it was recorded")
    return found


def _gap(gap: Mapping[str, Any]) -> list[str]:
    """Say what happens to requests while the services are replaced."""
    found = []
    if gap.get("down"):
        found.append(f"downtime while it is replaced: {', '.join(gap['down'])}")
    if gap.get("wait"):
        found.append(f"requests wait while it is replaced, at most {gap['longest']}: {', '.join(gap['wait'])}")
    if gap.get("none"):
        found.append(f"no downtime: {', '.join(gap['none'])}")
    return found


def _steps(steps: list[Mapping[str, Any]], indent: str, view: View) -> list[str]:
    """Name the steps in one line; with `--verbose` one line each, as they are recorded."""
    if view.verbose:
        return [f"{indent}{number}. {clean(step['title'])}" for number, step in enumerate(steps, 1)]
    return view.wrap("steps: " + ", ".join(clean(step["id"]) for step in steps), f"{indent}  ", indent)


def _total(result: RunResult) -> str:
    same = sum(one.status is Status.UNCHANGED for one in result.environments)
    repairs = sum(bool(one.details.get("repair")) for one in result.environments)
    changed = len(result.environments) - same - repairs
    return ", ".join([f"{changed} to change", *([f"{repairs} to repair"] if repairs else []), f"{same} unchanged"])


def gate_lines(results: tuple[GateResult, ...], indent: str, view: View) -> list[str]:
    """Format one line for each gate: its sign, its title and its sentence."""
    lines = []
    for one in results:
        mark, style = SIGNS[one.verdict.outcome]
        text = view.wrap(f"{mark} {clean(one.gate)}: {clean(one.verdict.sentence)}", f"{indent}  ", indent)
        lines += [text[0].replace(mark, view.paint(mark, style), 1), *text[1:]]
    return lines
