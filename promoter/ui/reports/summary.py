"""How a run ended: the release, a line for each environment, the reasons, and the next command."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoter.gates.rule import Rule
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import clean, seconds
from promoter.ui.reports.table import table
from promoter.ui.reports.view import SHORT, Cell, Style, View

_SIGNS: dict[Status, tuple[str, Style]] = {
    Status.DEPLOYED: ("✓", "good"),
    Status.UNCHANGED: ("=", "good"),
    Status.PENDING: ("⏸", "wait"),
    Status.REFUSED: ("✗", "bad"),
    Status.FAILED: ("✗", "bad"),
    Status.ROLLED_BACK: ("↩", "bad"),
    Status.NOT_REACHED: ("·", "dim"),
    Status.LOCKED: ("⏸", "wait"),
    Status.INTERRUPTED: ("✗", "bad"),
}
_VOTES = frozenset(
    {
        ReasonCode.APPROVALS_MISSING,
        ReasonCode.ROLE_MISSING,
        ReasonCode.SELF_APPROVAL,
        ReasonCode.APPROVAL_STALE,
        ReasonCode.APPROVAL_EXPIRED,
        ReasonCode.APPROVAL_USED,
        ReasonCode.APPROVAL_WRONG_ENVIRONMENT,
        ReasonCode.SIGNER_UNKNOWN,
        ReasonCode.SIGNATURE_INVALID,
        ReasonCode.KEY_REVOKED,
        ReasonCode.POLICY_CHANGED,
    }
)


def summary(result: RunResult, view: View) -> str:
    """Format the result: one line for each environment, the reasons of what failed, and the next command."""
    lines = [_headline(result, view)]
    if view.verbose and result.release is not None:
        lines += [images(result.release), ""]
    lines += view.table([_row(environment, result, view) for environment in result.environments])
    explained = [one for one in result.environments if has_reasons(one) and not _is_brief(one)]
    for environment in explained:
        lines += ["", *_why(environment, view)]
    steps = [step for one in result.environments if (step := next_command(one, view.options))]
    if steps:
        lines += ["", *(f"next: {step}" for step in dict.fromkeys(steps))]
    return "\n".join(lines)


def images(release: Release) -> str:
    """Format each service with its image digest."""
    return table([(name, str(ref)) for name, ref in sorted(release.images.items())], "  ")


def origin(release: Release) -> str:
    """Return where a release was built from, in brackets; empty if unknown."""
    source = release.source
    named = source.version if not (source.sha and source.version and source.sha.startswith(source.version)) else None
    words = [w for w in (source.branch, source.short_sha, named) if w]
    return f" ({' '.join(dict.fromkeys(words))}{', with uncommitted changes' if source.dirty else ''})" if words else ""


def _headline(result: RunResult, view: View) -> str:
    decision, took = str(result.decision).replace("_", " "), sum(one.duration_ms or 0 for one in result.environments)
    right = seconds(took / 1000) if took else ""
    if result.release is not None:
        return view.line(f"{result.pipeline}: release {result.release.short_id}{origin(result.release)}: {decision}", right)
    if not result.environments:
        return f"{result.pipeline}: " + (f"no release ({result.code})" if result.code else "nothing was promoted yet")
    return view.line(f"{result.pipeline}: {decision}", right)  # several releases: each line names its own


def _row(environment: EnvironmentResult, result: RunResult, view: View) -> Sequence[Cell | str]:
    sign, style = _SIGNS[environment.status]
    release = serving(environment, result.release)
    notes = []
    if environment.gap_ms:
        notes.append(f"down {seconds(environment.gap_ms / 1000)}")
    if result.release is None or release != result.release.id:
        notes.append(f"{release[:SHORT]} serves" if release else "nothing serves")
    if _is_brief(environment):
        notes += [clean(reason) for reason in environment.reasons]
    took = "-" if environment.duration_ms is None else seconds(environment.duration_ms / 1000)
    word = environment.status.words
    cells: list[Cell | str] = [Cell(sign, style), environment.name, Cell(word, style), took]
    if view.verbose:
        cells += [(release or "-")[:12], _digest(result.release) if result.release and release == result.release.id else "-"]
    return [*cells, " · ".join(notes)]


def _is_brief(environment: EnvironmentResult) -> bool:
    """Return whether the reasons fit behind the environment: what waits, or was not reached."""
    short = len(environment.reasons) <= 1 and all("\n" not in one for one in environment.reasons)
    return environment.status in (Status.PENDING, Status.NOT_REACHED) and short


def serving(environment: EnvironmentResult, release: Release | None) -> str | None:
    """Return the id of the release that serves there now: the new one only if it was deployed."""
    if environment.status in (Status.DEPLOYED, Status.UNCHANGED):
        return release.id if release else None
    return environment.previous


def _digest(release: Release) -> str:
    digests = sorted({ref.digest.hex[:12] for ref in release.images.values()})
    return digests[0] if len(digests) == 1 else f"{len(digests)} images"


def has_reasons(environment: EnvironmentResult) -> bool:
    """Return whether an environment has a reason of its own; `not_reached` has none."""
    return bool(environment.reasons) and environment.status is not Status.NOT_REACHED


def _why(environment: EnvironmentResult, view: View) -> list[str]:
    head = f"{environment.name} {environment.status.words} ({environment.code}):"
    texts = [clean(line) for reason in environment.reasons for line in reason.splitlines()]
    return [view.paint(head, _SIGNS[environment.status][1]), *(line for text in texts for line in view.wrap(text))]


def next_command(environment: EnvironmentResult, options: str) -> str | None:
    command = _next(environment)
    return None if command is None else f"{command} {options}".rstrip()


def _needs_repair(details: Mapping[str, Any]) -> bool:
    """Return whether a host does not have what is recorded."""
    return any(host["status"] in ("behind", "not_restored") for host in details.get("hosts", ()))


def _next(environment: EnvironmentResult) -> str | None:
    if _needs_repair(environment.details):
        return f"promoter repair {environment.name}"
    if environment.status is not Status.PENDING:
        return None
    if environment.code in _VOTES:
        grades = {one.grade for one in environment.closed}
        run = environment.details.get("run")
        if run and Grade.PLATFORM in grades and Grade.SIGNED not in grades:
            return f"review the deployment on {run}; its job: promoter promote --to {environment.name} --reviews"
        key = " --key FILE" if grades & {Grade.SIGNED, Grade.PLATFORM} else ""
        return f"promoter approve {environment.name}{key}"
    if environment.code is ReasonCode.FROZEN and any(one.kind == Rule.FREEZE for one in environment.closed):
        return f"promoter explain {environment.name}"
    if environment.code is ReasonCode.PINNED:
        return f"promoter unpin {environment.name} --reason …"
    return f"promoter promote --to {environment.name}"
