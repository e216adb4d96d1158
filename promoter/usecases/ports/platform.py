"""The platform that hosts a repository and runs its jobs, in values: what it is asked, and what it answers.

How it is asked is `adapters/forge/`'s; what follows from an answer is `reviews.py`'s and `records.py`'s.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

from promoter.model.errors import CallerError

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*\.ya?ml|[0-9]+")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_EVENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
SPELLINGS = "workflow:FILE[@REF], event:NAME or pipeline:REF"


class Platform(StrEnum):
    """Whose API it is."""

    GITHUB = "github"
    GITLAB = "gitlab"

    @property
    def shown(self) -> str:
        """For people."""
        return {Platform.GITHUB: "GitHub", Platform.GITLAB: "GitLab"}[self]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A GitHub workflow that may be started by hand. Without `ref` it is taken from the default branch."""

    file: str
    ref: str | None = None

    def __str__(self) -> str:
        return f"workflow:{self.file}{f'@{self.ref}' if self.ref else ''}"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a GitHub repository, which workflows of its default branch listen to."""

    name: str

    def __str__(self) -> str:
        return f"event:{self.name}"


@dataclass(frozen=True, slots=True)
class PipelineAt:
    """A GitLab pipeline of a branch or tag."""

    ref: str

    def __str__(self) -> str:
        return f"pipeline:{self.ref}"


Target = Workflow | Event | PipelineAt
USUAL = Event("promoter")


def parse_target(text: str) -> Target:
    """Raises ValueError with a sentence."""
    kind, _, rest = text.strip().partition(":")
    if kind == "workflow":
        file, at, ref = rest.partition("@")
        if _FILE.fullmatch(file) and (_REF.fullmatch(ref) if at else not ref):
            return Workflow(file, ref or None)
        raise ValueError(f"{text!r} names no workflow: write the name of its file, such as workflow:promote.yml@main")
    if kind == "event":
        if _EVENT.fullmatch(rest):
            return Event(rest)
        raise ValueError(f"{text!r} names no event: write for example event:promoter")
    if kind == "pipeline":
        if _REF.fullmatch(rest):
            return PipelineAt(rest)
        raise ValueError(f"{text!r} names no branch or tag: write for example pipeline:main")
    raise ValueError(f"{text!r} is nothing that can be started: write {SPELLINGS}")


def platform_of(target: Target) -> Platform:
    match target:
        case Workflow() | Event():
            return Platform.GITHUB
        case PipelineAt():
            return Platform.GITLAB
    assert_never(target)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a job is started for."""

    pipeline: str
    environment: str
    release: str
    plan_digest: str


@dataclass(frozen=True, slots=True)
class Review:
    """What one person said on the platform about this run going on to one environment.

    `mark` tells several reviews of one person apart. Together with the run it is the same each time that it is asked.
    """

    user: str
    decision: str
    comment: str
    mark: str


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image as it serves somewhere. `name` is its repository, `deployment` the place that it serves at."""

    name: str
    digest: str
    version: str | None
    environment: str
    deployment: str


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """How a promotion ended, for the platform's own pages."""

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
    """One repository on the platform that hosts it and runs its jobs. Raises ForgeError, and CallerError for a wrong question."""

    platform: Platform
    repository: str

    def prove(self) -> None:
        """Raises when the repository does not answer, or the token is not good for it. Changes nothing."""

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        """Starts a job. It may be started twice when an answer is lost: what it does must bear that."""

    def reviews(self, environment: str) -> tuple[Review, ...]:
        """What people decided about this very run, or job, going on to what the platform calls `environment`."""

    def record(self, record: DeploymentRecord) -> None:
        """Adds to the platform's own history of deployments."""

    def record_image(self, image: ImageRecord) -> None:
        """Says which image serves at one place from now on."""

    def close(self) -> None: ...


Forges = Callable[[Platform | None], Forge]
"""The platform of this job or checkout; None takes whichever it is. Raises CallerError when repository or token is missing."""


def no_forge(platform: Platform | None) -> Forge:
    """Where there is none."""
    raise CallerError(f"there is no {platform.shown if platform else 'platform'} here")
