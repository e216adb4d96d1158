"""Port: the platform that hosts a repository and runs its jobs.

`adapters/platforms/` implements it; `platform_reviews.py` and `deployment_record.py` use its values.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol, assert_never

from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.model.pattern import pattern

_FILE = pattern(r"[A-Za-z0-9_][A-Za-z0-9_. -]*\.ya?ml|[0-9]+")
_REF = pattern(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_EVENT = pattern(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
SPELLINGS = "workflow:FILE[@REF], event:NAME or pipeline:REF"


class Platform(StrEnum):
    """The kind of API."""

    GITHUB = "github"
    GITLAB = "gitlab"

    @property
    def shown(self) -> str:
        """Its name for people."""
        return {Platform.GITHUB: "GitHub", Platform.GITLAB: "GitLab"}[self]


@dataclass(frozen=True)
class Workflow:
    """A GitHub workflow with `workflow_dispatch`. Without `ref`, the default branch is used."""

    file: str
    ref: str | None = None

    def __str__(self) -> str:
        return f"workflow:{self.file}{f'@{self.ref}' if self.ref else ''}"


@dataclass(frozen=True)
class Event:
    """A `repository_dispatch` event, for workflows of the default branch."""

    name: str

    def __str__(self) -> str:
        return f"event:{self.name}"


@dataclass(frozen=True)
class PipelineAt:
    """A GitLab pipeline of a branch or tag."""

    ref: str

    def __str__(self) -> str:
        return f"pipeline:{self.ref}"


Target = Workflow | Event | PipelineAt
USUAL = Event("promoter")


def parse_target(text: str) -> Target:
    """Parse a target. Raise ValueError with a sentence for people."""
    kind, _, rest = text.strip().partition(":")
    if kind == "workflow":
        file, at, ref = rest.partition("@")
        if _FILE.fullmatch(file) and (_REF.fullmatch(ref) if at else not ref):
            return Workflow(file, ref or None)
        raise ValueError(f"{text!r} is not a workflow: write the name of its file, such as workflow:promote.yml@main")
    if kind == "event":
        if _EVENT.fullmatch(rest):
            return Event(rest)
        raise ValueError(f"{text!r} is not an event: write for example event:promoter")
    if kind == "pipeline":
        if _REF.fullmatch(rest):
            return PipelineAt(rest)
        raise ValueError(f"{text!r} is not a branch or tag: write for example pipeline:main")
    raise ValueError(f"{text!r} cannot be started: write {SPELLINGS}")


def platform_of(target: Target) -> Platform:
    match target:
        case Workflow() | Event():
            return Platform.GITHUB
        case PipelineAt():
            return Platform.GITLAB
    assert_never(target)


@dataclass(frozen=True)
class Occasion:
    """The reason for starting a job."""

    pipeline: str
    environment: str
    release: str
    plan_digest: str


@dataclass(frozen=True)
class Review:
    """One person's review on the platform: whether this run may continue to one environment.

    `mark` distinguishes several reviews of one person. Together with the run it identifies a review.
    """

    user: str
    decision: str
    comment: str
    mark: str


@dataclass(frozen=True)
class ImageRecord:
    """A deployed image. `name` is its repository, `deployment` the place where it runs."""

    name: str
    digest: str
    version: str | None
    environment: str
    deployment: str


@dataclass(frozen=True)
class DeploymentRecord:
    """The outcome of a promotion, for the platform's pages."""

    environment: str
    commit: str
    state: str
    description: str
    release: str
    plan_digest: str | None
    digests: Mapping[str, str]
    images: tuple[ImageRecord, ...]
    log: str | None
    page: str | None


# ---------------------------------------------------------------- the platform that runs the jobs
class Forge(Protocol):
    """One repository on the platform that hosts it and runs its jobs. Raises ForgeError, and CallerError for a wrong call."""

    platform: Platform
    repository: str

    def prove(self) -> None:
        """Raise when the repository does not answer, or the token has no access. Change nothing."""

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        """Start a job. It may start twice when an answer is lost, so the job must be idempotent."""

    def reviews(self, environment: str) -> tuple[Review, ...]:
        """Return the reviews of this run or job for the platform's `environment`."""

    def record(self, record: DeploymentRecord) -> None:
        """Add to the platform's history of deployments."""

    def record_image(self, image: ImageRecord) -> None:
        """Record which image runs at one place from now on."""

    def close(self) -> None: ...


Forges = Callable[[Platform | None], Forge]
"""Opens the platform of this job or checkout; None accepts any. Raises CallerError when repository or token is missing."""


def no_forge(platform: Platform | None) -> Forge:
    """Raise CallerError: there is no platform."""
    raise CallerError(f"there is no {platform.shown if platform else 'platform'} here")
