"""`promoter status`: the matrix of environments and releases, as plain text."""

from datetime import datetime

from promoter.model.release import Release
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.table import table
from promoter.usecases.status import EnvironmentStatus, StatusReport

_REASONS = 3
"""The most reasons of a failure that are shown; `promoter history` has all."""


def matrix(report: StatusReport) -> str:
    """Format one line for each environment; below, what blocks each, what waits there, and why."""
    rows: list[tuple[str, ...]] = [("ENVIRONMENT", "RELEASE", "DIGEST", "SINCE", "HEALTH", "NOTE")]
    rows += [_row(environment) for environment in report.environments]
    waits = [text for environment in report.environments for text in _waits(environment)]
    return "\n".join([table(rows), *(["", *waits] if waits else [])])


def _row(environment: EnvironmentStatus) -> tuple[str, ...]:
    release = environment.release
    return (
        environment.name,
        release.short_id if release else "-",
        digest(release) if release else "-",
        when(environment.since) if environment.since else "-",
        environment.health or "-",
        ", ".join(word for word, reason in _stops(environment) if reason),
    )


def _waits(environment: EnvironmentStatus) -> list[str]:
    stopped = [f"{environment.name} is {word}: {clean(reason)}" for word, reason in _stops(environment)[:2] if reason]
    stopped += [clean(sentence) for sentence in environment.overridden]
    stopped += [f"{environment.name}: {clean(fault)}" for fault in environment.faults]
    if environment.vetoed:
        stopped.append(f"{environment.name}: the release that runs is vetoed by {clean(environment.vetoed)}")
    if (failure := environment.failure) is not None:
        what = f"{environment.name}: the last promotion, of release {failure.release[:12]}, failed at {when(failure.at)}"
        stopped += [f"{what} ({failure.reason_code}):", *(f"  {clean(reason)}" for reason in failure.reasons[:_REASONS])]
    if (waiting := environment.waiting) is not None:
        stopped.append(f"{environment.name}: release {waiting.release[:12]} waits ({waiting.reason_code}):")
        stopped += [f"  {clean(reason)}" for reason in waiting.reasons]
    return [*stopped, f"  next: {environment.next}"] if environment.next else stopped


def _stops(environment: EnvironmentStatus) -> tuple[tuple[str, str | None], ...]:
    by = "; ".join(environment.overridden)
    return ("pinned", environment.pinned), ("frozen", environment.frozen), ("passed by override", by)


def digest(release: Release) -> str:
    """Return the short digest of the only image, or the number of images."""
    digests = sorted({ref.digest.hex[:12] for ref in release.images.values()})
    return digests[0] if len(digests) == 1 else f"{len(digests)} images"


def when(at: datetime) -> str:
    """Format a time in UTC, without the fraction of the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
