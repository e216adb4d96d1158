"""`promoter plan`: for each environment from where to where, by which steps, through which gates."""

from collections.abc import Mapping
from typing import Any

from promoter.model.diff import say_change
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.summary import images, origin


def planned(result: RunResult) -> str:
    """Every environment that `promote` would reach, in order."""
    release = result.release
    head = [f"{result.pipeline}: release {release.short_id}{origin(release)}\n{images(release)}"] if release else []
    return "\n\n".join([*head, *(_environment(environment) for environment in result.environments)])


def _environment(environment: EnvironmentResult) -> str:
    told: Mapping[str, Any] = environment.details
    if environment.status is Status.UNCHANGED:
        return f"{environment.name}: unchanged, {told['to'][:12]} is there"
    before = told["from"][:12] if told["from"] else "nothing"
    lines = [f"{environment.name}: {before} -> {told['to'][:12]}", f"  plan {environment.plan_digest}"]
    lines += [f"  gate {gate['gate']}: {gate['outcome']}: {clean(gate['sentence'])}" for gate in told["gates"]]
    lines += [f"  {clean(say_change(change))}" for change in told["changes"]]
    lines += [
        f"  note: {service} keeps data in {clean(path)}; no volume is mounted there, so it has no name of its own"
        for service, paths in (told.get("unnamed_volumes") or {}).items()
        for path in paths
    ]
    lines += [f"  {number}. {clean(step['title'])}" for number, step in enumerate(told["steps"], 1)]
    return "\n".join(lines)
