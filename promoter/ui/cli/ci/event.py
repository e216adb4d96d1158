"""What a CI event asks for. Pure: the variables of a CI job in, the work of `promoter ci` out."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from promoter.adapters.settings import Ci, Settings
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.ui.cli.ci.detect import ci_of

RELEASE, ENVIRONMENT = "PROMOTER_CI_RELEASE", "PROMOTER_CI_ENVIRONMENT"
"""Variables for the inputs of a CI job, so that no script needs them."""
_VARIABLES = {Ci.GITHUB: "GITHUB_EVENT_NAME", Ci.GITLAB: "CI_PIPELINE_SOURCE"}
_PUSH, _SCHEDULE = "push", "schedule"
_STARTED = {
    Ci.GITHUB: ("workflow_dispatch", "repository_dispatch"),
    Ci.GITLAB: ("web", "api", "trigger", "pipeline"),
}
"""The events of a job that a person or a program starts."""


class OnPending(StrEnum):
    """The result of the job if the release waits at a gate."""

    SUCCEED = "succeed"
    FAIL = "fail"


@dataclass(frozen=True)
class Work:
    """What to do. `if_waiting`: only if a release waits somewhere. `on_pending` is the platform's usual one."""

    verb: Literal["run", "promote"]
    on_pending: OnPending
    release: str | None = None
    to: str | None = None
    if_waiting: bool = False


def work_of(environ: Mapping[str, str], release: str | None = None, to: str | None = None) -> Work:
    """Return what the event of this job asks for; `release` and `to` win over the variables. Raise CallerError."""
    ci = ci_of(Settings(), environ)
    if ci not in _VARIABLES:
        raise CallerError(
            "this is not a job of GitHub Actions or GitLab CI: GITHUB_ACTIONS and GITLAB_CI are not set",
            hint="use `promoter run` or `promoter promote`",
        )
    event = environ.get(_VARIABLES[ci], "")
    release, to = (release or environ.get(RELEASE) or None), (to or environ.get(ENVIRONMENT) or None)
    on_pending = OnPending.SUCCEED if ci is Ci.GITHUB else OnPending.FAIL  # GitLab has a mark for an exit code, GitHub has none
    if event == _PUSH and release is not None:
        raise CallerError(
            f"a push makes a release of its own, so it cannot promote {release!r}",
            hint=f"start the job manually, or remove --release and {RELEASE}",
        )
    if event == _PUSH:
        return Work("run", on_pending, to=to)
    if event == _SCHEDULE or event in _STARTED[ci]:
        return Work("promote", on_pending, release, to, if_waiting=event == _SCHEDULE)
    known = ", ".join((_PUSH, _SCHEDULE, *_STARTED[ci]))
    raise CallerError(
        f"promoter ci does nothing for the event {event!r} ({_VARIABLES[ci]})",
        hint=f"run the job only for {known}; for other events use `promoter run` or `promoter promote`",
    )
