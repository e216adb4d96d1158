"""GitHub: start workflows, read the reviews of a run, record deployments and artifact deployment records."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from promoter.adapters.platforms.errors import Asked
from promoter.adapters.platforms.http import TIMEOUT, Api
from promoter.adapters.platforms.token import Token
from promoter.adapters.retry import Retry
from promoter.model.errors import CallerError
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
_SEE = Asked("show the repository", "the permission Metadata: read (`contents: read` in a workflow)")
_REVIEWS = Asked("show the reviews of this run", "the permission Actions: read (`actions: read` in a workflow)")
_WORKFLOW = Asked("start the workflow", "the permission Actions: write (`actions: write` in a workflow)")
_EVENT = Asked("start an event of the repository", "the permission Contents: write (`contents: write` in a workflow)")
_DEPLOYMENT = Asked("record a deployment", "the permission Deployments: write (`deployments: write` in a workflow)")
_ARTIFACT = Asked(
    "record where an image is deployed",
    "the permission Artifact metadata: write (`artifact-metadata: write` in a workflow), and the repository an organization",
)


class GitHub:
    """One repository, `owner/name`. `run` is the id of this workflow run, if this is one."""

    platform = Platform.GITHUB

    def __init__(
        self,
        base: str,
        repository: str,
        token: Token,
        run: str | None,
        retry: Retry,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self.repository, self._run = repository, run
        headers = {
            "Authorization": f"Bearer {token.reveal()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._api = Api(self.platform.shown, base, token, headers, retry, timeout)
        self._path = f"/repos/{quote(repository)}"
        self._branch: str | None = None

    def prove(self) -> None:
        found = self._api.get(self._path, _SEE)
        self._branch = self._text(found, "default_branch", _SEE)

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        match target:
            case Workflow():
                ref = target.ref or self._default_branch()
                inputs = {"environment": occasion.environment, "release": occasion.release}
                path = f"{self._path}/actions/workflows/{quote(target.file)}/dispatches"
                self._api.post(path, {"ref": ref, "inputs": inputs}, _WORKFLOW)
            case Event():
                payload = {
                    "pipeline": occasion.pipeline,
                    "environment": occasion.environment,
                    "release": occasion.release,
                    "plan_digest": occasion.plan_digest,
                }
                self._api.post(f"{self._path}/dispatches", {"event_type": target.name, "client_payload": payload}, _EVENT)
            case PipelineAt():
                raise CallerError(f"{target} is GitLab's, and this is GitHub", hint="write event:NAME or workflow:FILE[@REF]")

    def reviews(self, environment: str) -> tuple[Review, ...]:
        if self._run is None:
            raise CallerError(
                "there is no workflow run here to read reviews of", hint="run this in a job: GITHUB_RUN_ID is not set"
            )
        found = self._api.get(f"{self._path}/actions/runs/{quote(self._run)}/approvals", _REVIEWS)
        if not isinstance(found, list):
            raise self._api.unreadable(_REVIEWS)
        parsed = [self._review(entry) for entry in found if environment in self._names(entry)]
        return _numbered([one for one in parsed if one is not None])

    def record(self, record: DeploymentRecord) -> None:
        asked = {
            "ref": record.commit,
            "environment": record.environment,
            "description": record.description,
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"release": record.release, "plan_digest": record.plan_digest, "digests": dict(record.digests)},
        }
        made = self._api.post(f"{self._path}/deployments", asked, _DEPLOYMENT)
        number = made.get("id") if isinstance(made, dict) else None
        if not isinstance(number, int):
            raise self._api.unreadable(_DEPLOYMENT)
        status: dict[str, object] = {"state": record.state, "description": record.description}
        status |= {"log_url": record.log} if record.log else {}
        status |= {"environment_url": record.page} if record.page else {}
        self._api.post(f"{self._path}/deployments/{number}/statuses", status, _DEPLOYMENT)

    def record_image(self, image: ImageRecord) -> None:
        owner, _, name = self.repository.partition("/")
        asked = {
            "name": image.name,
            "digest": image.digest,
            "status": "deployed",
            "logical_environment": image.environment,
            "deployment_name": image.deployment,
            "github_repository": name,
            **({"version": image.version} if image.version else {}),
        }
        self._api.post(f"/orgs/{quote(owner)}/artifacts/metadata/deployment-record", asked, _ARTIFACT)

    def close(self) -> None:
        self._api.close()

    # ------------------------------------------------------------ parts
    def _default_branch(self) -> str:
        if self._branch is None:
            self.prove()
        assert self._branch is not None
        return self._branch

    def _names(self, entry: object) -> list[str]:
        environments = entry.get("environments") if isinstance(entry, dict) else None
        if not isinstance(environments, list):
            raise self._api.unreadable(_REVIEWS)
        return [self._text(one, "name", _REVIEWS) for one in environments]

    def _review(self, entry: Mapping[str, Any]) -> Review | None:
        """Return the review; None for a comment without a decision."""
        state, comment = self._text(entry, "state", _REVIEWS), entry.get("comment")
        if state not in _DECISIONS:
            return None
        user = self._text(entry.get("user"), "login", _REVIEWS)
        return Review(user, _DECISIONS[state], comment if isinstance(comment, str) else "", "")

    def _text(self, document: object, key: str, asked: Asked) -> str:
        found = document.get(key) if isinstance(document, dict) else None
        if not isinstance(found, str) or not found:
            raise self._api.unreadable(asked)
        return found


def _numbered(reviews: list[Review]) -> tuple[Review, ...]:
    """Give each review a number: its count among the reviews of the same person with the same decision.

    GitHub reports neither a number nor a time for a review.
    """
    seen: dict[tuple[str, str], int] = {}
    numbered = []
    for review in reviews:
        key = (review.user, review.decision)
        seen[key] = seen.get(key, 0) + 1
        numbered.append(Review(review.user, review.decision, review.comment, str(seen[key])))
    return tuple(numbered)
