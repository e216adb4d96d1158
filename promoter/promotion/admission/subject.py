"""The subject of admission: a release and an environment. It is a Plan, or a Proposal if no plan can be made."""

from typing import Protocol

from promoter.model.dataclass import dataclass
from promoter.model.release import Release
from promoter.pipeline.model import Environment


class Subject(Protocol):
    """A release that asks to enter an environment."""

    @property
    def environment(self) -> Environment: ...
    @property
    def release(self) -> Release: ...


@dataclass(frozen=True)
class Proposal:
    """A release and an environment without a plan, because the secrets for the plan's digest are missing here."""

    environment: Environment
    release: Release
