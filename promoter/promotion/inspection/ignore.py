"""Leave findings out that a person ignores, by their paths. Pure."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from promoter.model.findings import Finding


def is_ignored(finding: Finding, patterns: Iterable[str]) -> bool:
    """Return whether a pattern names the finding's path, or a path above it.

    `*` matches any part. The path may be shortened: `services.web.environment.LEVEL`, `web.environment.LEVEL` and
    `environment.LEVEL`. The last one applies to every service.
    """
    paths = {finding.path, finding.path.removeprefix("services."), finding.path.removeprefix(f"services.{finding.service}.")}
    return any(fnmatchcase(path, form) for pattern in patterns for path in paths for form in (pattern, f"{pattern}.*"))
