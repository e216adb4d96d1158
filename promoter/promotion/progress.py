"""What the runner reports while it works. Reports listen; nothing here decides."""

from collections.abc import Callable
from dataclasses import dataclass

from promoter.model.images import ImageRef
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode, Verdict


@dataclass(frozen=True, slots=True)
class BuildStarted:
    service: str
    builder: str


@dataclass(frozen=True, slots=True)
class BuildLine:
    """One line of a build's log."""

    service: str
    text: str


@dataclass(frozen=True, slots=True)
class BuildDone:
    service: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LayerProgress:
    """A layer on its way up (`verb` push) or down (`pull`); bytes, or None where the engine gives none."""

    service: str
    verb: str
    layer: str
    status: str
    current: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """`already` when the registry had these very bytes and nothing was sent."""

    service: str
    image: ImageRef
    tag: str | None
    already: bool


@dataclass(frozen=True, slots=True)
class Pinned:
    """A service without build: its reference and the digest that it has in the registry now."""

    service: str
    reference: str
    image: ImageRef


@dataclass(frozen=True, slots=True)
class ReleaseMade:
    """`known` when the ledger held this release already."""

    release: Release
    known: bool


@dataclass(frozen=True, slots=True)
class GateEvaluated:
    environment: str
    gate: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PromotionStarted:
    environment: str
    release: Release
    plan_digest: str
    mending: bool


@dataclass(frozen=True, slots=True)
class StepStarted:
    environment: str
    step: str


@dataclass(frozen=True, slots=True)
class StepNote:
    """Something worth showing inside a step: a health state, a probe, a retry."""

    environment: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class StepDone:
    environment: str
    step: str
    seconds: float
    already: bool = False


@dataclass(frozen=True, slots=True)
class StepFailed:
    environment: str
    step: str
    code: ReasonCode
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restoring:
    """The earlier containers are being put back."""

    environment: str
    service: str


@dataclass(frozen=True, slots=True)
class EnvironmentEnded:
    """The last word on an environment in this run; `status` as in the JSON of `run`."""

    environment: str
    status: str
    code: ReasonCode
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Superseded:
    """`release` asks for the environment, and the earlier ones that waited there wait no longer. All are ids."""

    environment: str
    release: str
    earlier: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """`--wait` or `--wait-lock` holds on; `seconds` is how long it still may."""

    environment: str
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that belongs to no step."""

    text: str


Event = (
    BuildStarted
    | BuildLine
    | BuildDone
    | LayerProgress
    | Pushed
    | Pinned
    | ReleaseMade
    | GateEvaluated
    | PromotionStarted
    | StepStarted
    | StepNote
    | StepDone
    | StepFailed
    | Restoring
    | EnvironmentEnded
    | Superseded
    | Waiting
    | Notice
)
Listener = Callable[[Event], None]
