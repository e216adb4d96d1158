"""`promoter plan`: for each environment the releases, the steps and the gates."""

from collections.abc import Mapping
from typing import Any

from promoter.model.diff import format_change
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.summary import images, origin


def planned(result: RunResult) -> str:
    """Format every environment that `promote` would reach, in order."""
    release = result.release
    head = [f"{result.pipeline}: release {release.short_id}{origin(release)}\n{images(release)}"] if release else []
    return "\n\n".join([*head, *(_environment(environment) for environment in result.environments)])


def _environment(environment: EnvironmentResult) -> str:
    missing = environment.details.get("assumed_secrets")
    names = ", ".join(missing) if isinstance(missing, list) else ""
    note = f"\n  note: secret {names} is missing here: assumed to be as it was recorded" if names else ""
    return _steps(environment) + note


def _steps(environment: EnvironmentResult) -> str:
    details: Mapping[str, Any] = environment.details
    if environment.status is Status.UNCHANGED:
        return f"{environment.name}: unchanged, {details['to'][:12]} runs there"
    if details.get("repair"):
        return "\n".join([f"{environment.name}: repair, {details['to'][:12]}", *(f"  {clean(one)}" for one in details["repair"])])
    before = details["from"][:12] if details["from"] else "nothing"
    lines = [f"{environment.name}: {before} -> {details['to'][:12]}", f"  plan {environment.plan_digest}"]
    lines += [f"  gate {gate['gate']}: {gate['outcome']}: {clean(gate['sentence'])}" for gate in details["gates"]]
    lines += [f"  {clean(format_change(change))}" for change in details["changes"]]
    lines += [
        f"  note: {service} keeps data in {clean(path)}, where no named volume is mounted"
        for service, paths in (details.get("unnamed_volumes") or {}).items()
        for path in paths
    ]
    lines += [f"  {number}. {clean(step['title'])}" for number, step in enumerate(details["steps"], 1)]
    return "\n".join(lines)
