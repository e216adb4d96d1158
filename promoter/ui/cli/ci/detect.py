"""Which CI platform runs the command."""

import os
from collections.abc import Mapping

from promoter.adapters.settings import Ci, Settings


def ci_of(settings: Settings, environ: Mapping[str, str] | None = None) -> Ci:
    """Return the CI platform: as configured, else detected by the variable that the platform sets in every job."""
    environ = os.environ if environ is None else environ
    if settings.ci not in (None, Ci.AUTO):
        return settings.ci
    if environ.get("GITHUB_ACTIONS") == "true":
        return Ci.GITHUB
    return Ci.GITLAB if environ.get("GITLAB_CI") == "true" else Ci.NONE
