"""What asks for admission: a release and an environment. A plan is one; where no plan can be made, a Proposal is."""

from dataclasses import dataclass
from typing import Protocol

from promoter.model.release import Release
from promoter.pipeline.model import Environment


class Subject(Protocol):
    """A release that asks to enter an environment."""

    @property
    def environment(self) -> Environment: ...
    @property
    def release(self) -> Release: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A release and an environment without a plan: the secrets that its digest covers are not here."""

    environment: Environment
    release: Release
