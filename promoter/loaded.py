"""What is asked of a pipeline file that was read. `adapters/pipeline_file/` answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from promoter.model.release import Source
from promoter.pipeline import BuiltService, Environment, Pipeline, Policy


@dataclass(frozen=True, slots=True)
class PolicyAt:
    """What decides who may enter, as the file at a commit says it."""

    commit: str
    policy: Policy


class Loaded(Protocol):
    """A pipeline file that was read."""

    @property
    def pipeline(self) -> Pipeline: ...

    def check(self) -> None:
        """Raises FileFaults with all that is wrong anywhere in the file."""

    def resolve(self, environment: str, source: Source, release_id: str | None) -> Environment:
        """One environment for one source and release. Raises FileFaults, and CallerError for an unknown name."""

    def builds(self, source: Source) -> Mapping[str, BuiltService]:
        """How each service's image comes to be. Raises FileFaults."""

    def policy_at(self, ref: str, environment: str, source: Source, release_id: str) -> PolicyAt:
        """As the file at a git ref says it. Raises CallerError or FileFaults when that cannot be known."""
