"""The events that the runner reports while it works. Reports receive them; no decision is made here."""

from collections.abc import Callable

from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode, Verdict


@dataclass(frozen=True)
class BuildStarted:
    service: str
    builder: str


@dataclass(frozen=True)
class BuildLine:
    """One line of a build's log."""

    service: str
    text: str


@dataclass(frozen=True)
class BuildDone:
    service: str
    seconds: float


@dataclass(frozen=True)
class LayerProgress:
    """The progress of one layer: `verb` push or pull, and bytes, or None if the engine does not report them."""

    service: str
    verb: str
    layer: str
    status: str
    current: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Pushed:
    """An image was pushed. `already`: the registry had exactly these bytes, and nothing was sent."""

    service: str
    image: ImageRef
    tag: str | None
    already: bool


@dataclass(frozen=True)
class Pinned:
    """A service without a build: its reference, and the digest that it has in the registry now."""

    service: str
    reference: str
    image: ImageRef


@dataclass(frozen=True)
class ReleaseMade:
    """A release was made. `known`: the ledger already had it."""

    release: Release
    known: bool


@dataclass(frozen=True)
class GateEvaluated:
    environment: str
    gate: str
    verdict: Verdict


@dataclass(frozen=True)
class PromotionStarted:
    environment: str
    release: Release
    plan_digest: str
    repair: bool


@dataclass(frozen=True)
class StepStarted:
    environment: str
    step: str


@dataclass(frozen=True)
class StepNote:
    """An event inside a step: a health state, a probe, a retry."""

    environment: str
    step: str
    text: str


@dataclass(frozen=True)
class StepDone:
    environment: str
    step: str
    seconds: float
    already: bool = False


@dataclass(frozen=True)
class StepFailed:
    environment: str
    step: str
    code: ReasonCode
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Restoring:
    """The earlier containers are being put back."""

    environment: str
    service: str


@dataclass(frozen=True)
class EnvironmentEnded:
    """The end of an environment in this run; `status` as in the JSON of `run`."""

    environment: str
    status: str
    code: ReasonCode
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Superseded:
    """`release` asks for the environment, and the `earlier` ones that waited there stop waiting. All are ids."""

    environment: str
    release: str
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """The run waits because of `--wait` or `--wait-lock`, for at most `seconds` more."""

    environment: str
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Notice:
    """A sentence that does not belong to a step."""

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
