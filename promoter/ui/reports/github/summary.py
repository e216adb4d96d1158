"""The step summary: what a release manager needs to know of a run without opening its log."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoter.model.diff import format_change
from promoter.model.release import Release
from promoter.promotion.results import EnvironmentResult, Status
from promoter.ui.reports.github.markdown import code, fitting, md, pre, table
from promoter.ui.reports.github.mermaid import picture
from promoter.ui.reports.progress_lines import cut_digests, seconds
from promoter.ui.reports.run_report import RunReport
from promoter.ui.reports.status import digest
from promoter.ui.reports.summary import has_reasons, next_command, origin, serving

Document = Mapping[str, Any]
_MARKS = {Status.DEPLOYED: "✅", Status.UNCHANGED: "✅", Status.PENDING: "⏳", Status.NOT_REACHED: "⚪", Status.ROLLED_BACK: "↩️"}
_GATES = {"passed": "✅ passed", "waiting": "⏳ waits", "refused": "❌ refused"}


def summary(ended: RunReport, limit: int) -> str:
    """Format a summary of at most `limit` bytes. `plan` shows what would be done, other verbs what was done."""
    sections = [_headline(ended)]
    if ended.result.release is not None:
        sections.append(_images(ended.result.release))
    environments = ended.result.environments
    if ended.verb == "plan":
        sections += [part for one in environments for part in _planned(one)]
        steps = [step for one in environments if (step := next_command(one, ended.options))]
        sections += ["Next:", pre(steps[0])] if steps else []
    elif environments:
        sections += [_matrix(ended), picture(environments, ended.needs), _gates(environments)]
        sections += [part for one in environments if has_reasons(one) for part in _why(one, ended.options)]
    return fitting([section for section in sections if section], limit)


def summary_of_failure(verb: str, document: Document, limit: int) -> str:
    """Format a command that ended without a result; `document` is the JSON form of the error."""
    error = document["error"]
    sections = [f"## ❌ {md(f'promoter {verb}'.strip())}: {md(str(document['decision']))}", pre(error["message"])]
    if error["hint"]:
        sections += ["What to do:", pre(error["hint"])]
    return fitting(sections, limit)


def _headline(ended: RunReport) -> str:
    result = ended.result
    named = result.release
    release = f"release {code(named.short_id)} {md(origin(named))}".rstrip() if named else "no release"
    words = "planned" if ended.verb == "plan" else str(result.decision).replace("_", " ")
    return f"## {md(result.pipeline)}: {release}: {words}"


def _images(release: Release) -> str:
    return table(("service", "image"), [(md(name), code(str(ref))) for name, ref in sorted(release.images.items())])


def _matrix(ended: RunReport) -> str:
    head = ("environment", "status", "release", "digest", "from → to", "time", "downtime")
    return table(head, [_row(one, ended) for one in ended.result.environments])


def _row(environment: EnvironmentResult, ended: RunReport) -> tuple[str, ...]:
    release, url = ended.result.release, ended.urls.get(environment.name)
    there = serving(environment, release)
    name = f'<a href="{_address(url)}">{md(environment.name)}</a>' if url else md(environment.name)
    return (
        name,
        f"{_MARKS.get(environment.status, '❌')} {environment.status.words}",
        code(there[:12]) if there else "-",
        code(digest(release)) if release and there == release.id else "-",
        _way(environment.previous or "", release.id if release else ""),
        "-" if environment.duration_ms is None else seconds(environment.duration_ms / 1000),
        "-" if environment.gap_ms is None else f"{environment.gap_ms}ms",
    )


def _address(url: str) -> str:
    """Escape an address for an attribute inside a table cell."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-._~:/?#=%+,;") else f"&#{ord(c)};" for c in url)


def _way(before: str, after: str) -> str:
    start, end = (before or "nothing")[:12], (after or "nothing")[:12]
    return "the same" if before == after else f"{code(start)} → {code(end)}"


def _gates(environments: Sequence[EnvironmentResult]) -> str:
    rows = [(md(one.name), *_gate(gate)) for one in environments for gate in _values(one, "gates")]
    return table(("environment", "gate", "verdict", "who, when, why", "opens"), rows) if rows else ""


def _gate(gate: Document) -> tuple[str, ...]:
    verdict = _GATES.get(gate["outcome"], md(str(gate["outcome"])))
    return md(gate["gate"]), verdict, md(cut_digests(gate["sentence"])), md(gate.get("opens_at") or "-")


def _why(environment: EnvironmentResult, options: str) -> list[str]:
    words = environment.status.words
    parts = [f"### {md(environment.name)}: {words} ({code(str(environment.code))})", pre("\n".join(environment.reasons))]
    step = next_command(environment, options)
    return [*parts, "Next:", pre(step)] if step else parts


def _planned(environment: EnvironmentResult) -> list[str]:
    name = md(environment.name)
    if environment.status is Status.UNCHANGED:
        return [f"### {name}: unchanged"]
    way = _way(*(str(environment.details.get(key) or "") for key in ("from", "to")))
    parts = [f"### {name}: {way}", f"Plan {code(environment.plan_digest or '')}", _gates([environment])]
    if changes := _values(environment, "changes"):
        parts += ["Changed configuration:", pre("\n".join(map(format_change, changes)))]
    steps = "\n".join(f"{number}. {cut_digests(step['title'])}" for number, step in enumerate(_values(environment, "steps"), 1))
    return [part for part in (*parts, "Steps:", pre(steps)) if part]


def _values(environment: EnvironmentResult, key: str) -> Sequence[Any]:
    values: Any = environment.details.get(key, ())
    return tuple(values)
