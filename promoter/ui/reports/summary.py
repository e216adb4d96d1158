"""How a run ended: the release, a line for each environment, the reasons, and the next command."""

from promoter.gates.rule import Rule
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import clean, seconds
from promoter.ui.reports.table import table

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


def summary(result: RunResult, options: str) -> str:
    """Format the result. `options` are the global options that the next command needs, such as `-f pipeline.yaml`."""
    parts = [_headline(result)]
    if result.release is not None:
        parts.append(images(result.release))
    if result.environments:
        parts.append(_matrix(result))
    parts += [_why(environment, options) for environment in result.environments if has_reasons(environment)]
    return "\n\n".join(parts)


def images(release: Release) -> str:
    """Format each service with its image digest."""
    return table([(name, str(ref)) for name, ref in sorted(release.images.items())], "  ")


def origin(release: Release) -> str:
    """Return where a release was built from, in brackets; empty if unknown."""
    source = release.source
    named = source.version if not (source.sha and source.version and source.sha.startswith(source.version)) else None
    words = [w for w in (source.branch, source.short_sha, named) if w]
    return f" ({' '.join(dict.fromkeys(words))}{', with uncommitted changes' if source.dirty else ''})" if words else ""


def _headline(result: RunResult) -> str:
    decision = str(result.decision).replace("_", " ")
    if result.release is not None:
        return f"{result.pipeline}: release {result.release.short_id}{origin(result.release)}: {decision}"
    if not result.environments:
        return f"{result.pipeline}: " + (f"no release ({result.code})" if result.code else "nothing was promoted yet")
    return f"{result.pipeline}: {decision}"  # several releases: the table names each


def _matrix(result: RunResult) -> str:
    rows = [("ENVIRONMENT", "STATUS", "RELEASE", "DIGEST", "GAP", "TIME")]
    for environment in result.environments:
        release = serving(environment, result.release)
        rows.append(
            (
                environment.name,
                str(environment.status),
                release[:12] if release else "-",
                _digest(result.release) if result.release and release == result.release.id else "-",
                "-" if environment.gap_ms is None else f"{environment.gap_ms}ms",
                "-" if environment.duration_ms is None else seconds(environment.duration_ms / 1000),
            )
        )
    return table(rows)


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


def _why(environment: EnvironmentResult, options: str) -> str:
    head = f"{environment.name} {str(environment.status).replace('_', ' ')} ({environment.code}):"
    lines = [head, *(f"  {clean(line)}" for reason in environment.reasons for line in reason.splitlines())]
    step = next_command(environment, options)
    return "\n".join([*lines, f"  next: {step}"] if step else lines)


def next_command(environment: EnvironmentResult, options: str) -> str | None:
    if environment.status is not Status.PENDING:
        return None
    if environment.code in _VOTES:
        grades = {one.grade for one in environment.closed}
        run = environment.details.get("run")
        if run and Grade.PLATFORM in grades and Grade.SIGNED not in grades:
            return f"review the deployment on {run}; its job: promoter promote --to {environment.name} --reviews {options}"
        key = "--key FILE " if grades & {Grade.SIGNED, Grade.PLATFORM} else ""
        return f"promoter approve {environment.name} {key}{options}"
    if environment.code is ReasonCode.FROZEN and any(one.kind == Rule.FREEZE for one in environment.closed):
        return f"promoter explain {environment.name} {options}"
    if environment.code is ReasonCode.PINNED:
        return f"promoter unpin {environment.name} --reason … {options}"
    return f"promoter promote --to {environment.name} {options}"
