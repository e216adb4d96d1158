"""The steps of a promotion as plain data, in the order in which they are carried out.

A wave is a set of services that may be replaced at the same time; waves follow `depends_on`.
"""

from collections.abc import Mapping
from enum import Enum

from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef


@dataclass(frozen=True)
class Pull:
    """Pull a service's image to the engine, by digest."""

    service: str
    image: ImageRef

    @property
    def id(self) -> str:
        return f"pull {self.service}"

    @property
    def title(self) -> str:
        return f"pull {self.service} {self.image}"


@dataclass(frozen=True)
class Before:
    """One of the `before` checks, by its position: once, before anything is replaced."""

    index: int
    check: str

    @property
    def id(self) -> str:
        return f"before {self.index + 1}"

    @property
    def title(self) -> str:
        return f"before: {self.check}"


@dataclass(frozen=True)
class Replace:
    """Replace the containers of one service with new ones, and prove them healthy."""

    service: str
    image: ImageRef
    replicas: int
    wave: int

    @property
    def id(self) -> str:
        return f"replace {self.service}"

    @property
    def title(self) -> str:
        copies = "" if self.replicas == 1 else f" ({self.replicas} replicas)"
        return f"replace {self.service}{copies} with {self.image.digest}"


@dataclass(frozen=True)
class Verify:
    """One of the `verify` checks, by its position, against what runs now."""

    index: int
    check: str

    @property
    def id(self) -> str:
        return f"verify {self.index + 1}"

    @property
    def title(self) -> str:
        return f"verify: {self.check}"


@dataclass(frozen=True)
class Monitor:
    """Watch the new containers for a while: one that ends or becomes unhealthy fails the promotion."""

    seconds: float

    @property
    def id(self) -> str:
        return "monitor"

    @property
    def title(self) -> str:
        return f"monitor for {self.seconds:g} s"


@dataclass(frozen=True)
class Retire:
    """Remove containers older than the previous ones, and services that the file no longer has.

    In a swarm there are no containers to keep, but secrets and configs that are not used any more.
    """

    swarm: bool = False

    @property
    def id(self) -> str:
        return "retire"

    @property
    def title(self) -> str:
        if self.swarm:
            return "remove services, secrets and configs that are not used any more"
        return "remove containers older than the previous ones"


Step = Pull | Before | Replace | Verify | Monitor | Retire


def document(step: Step) -> Mapping[str, object]:
    """Return plain JSON data; `kind` is the kind of step."""
    kind = type(step).__name__.lower()
    match step:
        case Pull():
            return {"id": step.id, "kind": kind, "service": step.service, "image": str(step.image)}
        case Before() | Verify():
            return {"id": step.id, "kind": kind, "place": step.index, "check": step.check}
        case Replace():
            content = {"service": step.service, "image": str(step.image), "replicas": step.replicas, "wave": step.wave}
            return {"id": step.id, "kind": kind, **content}
        case Monitor():
            return {"id": step.id, "kind": kind, "seconds": step.seconds}
        case Retire():
            return {"id": step.id, "kind": kind}


class Proof(Enum):
    """What counts as healthy for a service."""

    SERVING = "serving"
    COMPLETED = "completed"
