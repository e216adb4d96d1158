"""Names and labels on an engine, and the type URIs of signed records. They are defined only here.

A label is fixed when a container is created, so `role` is the role at that time. A live container that became
the previous one is recognised by its name (`NAME-previous`) and because it is stopped.
"""

from collections.abc import Mapping
from enum import StrEnum

from promoter.model.dataclass import dataclass

LABEL = "dev.promoter"
LEDGER = f"{LABEL}.ledger"
"""The digest of the first fact of the ledger that a container was recorded in."""
COLOR = f"{LABEL}.color"
"""Which of the two servers of its replica in the front a container is."""
ROLE = f"{LABEL}.role"
OWNER = f"{LABEL}.owner"
"""The process that created a container without a lease, and waits for it."""
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SITE = "https://promoter.dev"
"""The prefix of type URIs. They are names; nothing is downloaded from them."""
APPROVAL_TYPE = f"{SITE}/approval/v1"
SCHEMA_ID = f"{SITE}/schema/pipeline/v1.json"
"""The id of the pipeline file's schema. A valid file stays valid as long as this says v1."""


class Role(StrEnum):
    LIVE = "live"
    PREVIOUS = "previous"
    CANDIDATE = "candidate"
    JOB = "job"


@dataclass(frozen=True)
class Namespace:
    """One environment of one pipeline on one engine."""

    pipeline: str
    environment: str

    @property
    def labels(self) -> dict[str, str]:
        return {f"{LABEL}.pipeline": self.pipeline, f"{LABEL}.environment": self.environment}


@dataclass(frozen=True)
class Slot:
    """The names of one replica of a service: its name, and the temporary names during a replacement."""

    name: str

    @classmethod
    def of(cls, container: str) -> "Slot":
        """Return the slot of a container with this name."""
        for suffix in ("-next", "-previous", "-older", "-trial"):
            container = container.removesuffix(suffix)
        return cls(container)

    @property
    def next(self) -> str:
        return f"{self.name}-next"

    @property
    def previous(self) -> str:
        return f"{self.name}-previous"

    @property
    def older(self) -> str:
        return f"{self.name}-older"

    @property
    def trial(self) -> str:
        return f"{self.name}-trial"

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that a container of this slot may have."""
        return (self.name, self.next, self.previous, self.older, self.trial)


def slot_of(name: str) -> Slot:
    """Return the slot of a container that has this name, also if it was renamed."""
    base, _, _ = name.rpartition("-")
    return Slot(base if name in Slot(base).names else name)


def is_aside(name: str) -> bool:
    """Return whether a container was renamed and no longer serves."""
    return name.endswith(("-previous", "-older"))


def slots(namespace: Namespace, service: str, replicas: int, fixed: str | None) -> tuple[Slot, ...]:
    """Return `<pipeline>-<environment>-<service>`, then `…-2`, `…-3`; or the file's container_name."""
    base = fixed or f"{namespace.pipeline}-{namespace.environment}-{service}"
    return tuple(Slot(base if number == 1 else f"{base}-{number}") for number in range(1, replicas + 1))


def once_name(namespace: Namespace, number: int) -> str:
    """Return the name of the job for the check before the switch with index `number`, from 0."""
    return f"{namespace.pipeline}-{namespace.environment}-before-{number + 1}"


def container_labels(
    namespace: Namespace, service: str, release: str, digest: str, promotion: str, role: Role, ledger: str | None = None
) -> Mapping[str, str]:
    return {
        **namespace.labels,
        **({LEDGER: ledger} if ledger else {}),
        f"{LABEL}.service": service,
        f"{LABEL}.release": release,
        f"{LABEL}.digest": digest,
        f"{LABEL}.promotion": promotion,
        ROLE: str(role),
    }


def service_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.service", "")


def promotion_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.promotion", "")


def role_of(labels: Mapping[str, str]) -> str:
    return labels.get(ROLE, "")


def owner_of(labels: Mapping[str, str]) -> str | None:
    return labels.get(OWNER)


def color_of(labels: Mapping[str, str]) -> str | None:
    return labels.get(COLOR)


def ledger_of(labels: Mapping[str, str]) -> str | None:
    return labels.get(LEDGER)


def release_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.release", "")
