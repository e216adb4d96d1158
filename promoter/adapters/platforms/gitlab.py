"""GitLab: start pipelines, and read the approvals of the deployment of this job."""

from typing import Any
from urllib.parse import quote, urlencode

from promoter.adapters.platforms.errors import Asked
from promoter.adapters.platforms.http import TIMEOUT, Api
from promoter.adapters.platforms.token import Token
from promoter.adapters.retry import Retry
from promoter.model.errors import CallerError, ForgeError
from promoter.usecases.ports.platform import (
    DeploymentRecord,
    Event,
    ImageRecord,
    Occasion,
    PipelineAt,
    Platform,
    Review,
    Target,
    Workflow,
)

_DECISIONS = {"approved": "approve", "rejected": "reject"}
_SEE = Asked("show the project", "the scope read_api and the role Reporter")
_REVIEWS = Asked("show the approvals of this job's deployment", "the scope read_api and the role Reporter")
_PIPELINE = Asked("start a pipeline", "the scope api, the role Developer, and the right to set pipeline variables")
_PAGES, _PAGE = 5, 100
ITSELF = "GitLab keeps deployments itself, from `environment:` of the job: nothing is posted there"


class GitLab:
    """One project, by its number or its path. `job` is the id of this job, if this is one."""

    platform = Platform.GITLAB

    def __init__(
        self, base: str, project: str, token: Token, job: str | None, retry: Retry, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self.repository, self._job = project, job
        name = "JOB-TOKEN" if token.origin == "CI_JOB_TOKEN" else "PRIVATE-TOKEN"
        self._job_token = token.origin == "CI_JOB_TOKEN"
        self._api = Api(self.platform.shown, base, token, {name: token.reveal()}, retry, timeout)
        self._path = f"/projects/{quote(project, safe='')}"

    def prove(self) -> None:
        if self._job_token:
            raise CallerError("a job's own token may start no pipeline", hint="set GITLAB_TOKEN to a project access token")
        self._api.get(self._path, _SEE)

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        match target:
            case PipelineAt():
                variables = {"PROMOTER_ENVIRONMENT": occasion.environment, "PROMOTER_RELEASE": occasion.release}
                pairs = [{"key": key, "value": value} for key, value in variables.items()]
                self._api.post(f"{self._path}/pipeline", {"ref": target.ref, "variables": pairs}, _PIPELINE)
            case Workflow() | Event():
                raise CallerError(f"{target} is GitHub's, and this is GitLab", hint="write pipeline:REF")

    def reviews(self, environment: str) -> tuple[Review, ...]:
        if self._job is None:
            raise CallerError("there is no job here to read approvals of", hint="run this in a job: CI_JOB_ID is not set")
        number = self._deployment(environment)
        found = self._api.get(f"{self._path}/deployments/{number}", _REVIEWS)
        approvals = found.get("approvals") if isinstance(found, dict) else None
        if approvals is None:
            return ()  # an edition without approvals
        if not isinstance(approvals, list):
            raise self._api.unreadable(_REVIEWS)
        parsed = [self._review(entry, number) for entry in approvals]
        return tuple(one for one in parsed if one is not None)

    def record(self, record: DeploymentRecord) -> None:
        del record
        raise ForgeError(ITSELF)

    def record_image(self, image: ImageRecord) -> None:
        del image
        raise ForgeError(ITSELF)

    def close(self) -> None:
        self._api.close()

    # ------------------------------------------------------------ parts
    def _deployment(self, environment: str) -> int:
        """Return the id of this job's deployment. Deployments are read from the newest, because it is among the last ones."""
        for page in range(1, _PAGES + 1):
            query = {"environment": environment, "order_by": "id", "sort": "desc", "per_page": _PAGE, "page": page}
            found = self._api.get(f"{self._path}/deployments?{urlencode(query)}", _REVIEWS)
            if not isinstance(found, list):
                raise self._api.unreadable(_REVIEWS)
            for one in found:
                deployable = one.get("deployable") if isinstance(one, dict) else None
                if isinstance(deployable, dict) and str(deployable.get("id")) == self._job and isinstance(one.get("id"), int):
                    return int(one["id"])
            if len(found) < _PAGE:
                break
        raise CallerError(
            f"this job is not a deployment to {environment} at GitLab, so it has no approvals",
            hint=f"give the job `environment: {environment}`, or name the environment with --as",
        )

    def _review(self, entry: Any, deployment: int) -> Review | None:
        user = entry.get("user") if isinstance(entry, dict) else None
        name = user.get("username") if isinstance(user, dict) else None
        if not isinstance(name, str) or not name:
            raise self._api.unreadable(_REVIEWS)
        decision, comment = _DECISIONS.get(str(entry.get("status"))), entry.get("comment")
        if decision is None:
            return None
        mark = f"{deployment} {entry.get('created_at') or ''}".strip()
        return Review(name, decision, comment if isinstance(comment, str) else "", mark)
