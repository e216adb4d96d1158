"""Names and labels on an engine, and the type URIs of signed records: the one place that knows their spelling.

A label is fixed when a container is made, so `role` says what it was made for. Whether a live container has become
the previous one is told by its name (`NAME-previous`) and by its being stopped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LABEL = "dev.promoter"
LEDGER = f"{LABEL}.ledger"
"""The digest of the first fact of the ledger that a container was recorded in."""
OWNER = f"{LABEL}.owner"
"""Which process made a container outside of any lease, and waits for it."""
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SITE = "https://promoter.dev"
"""What type URIs begin with: names, not addresses that anything is fetched from."""
APPROVAL_TYPE = f"{SITE}/approval/v1"
SCHEMA_ID = f"{SITE}/schema/pipeline/v1.json"
"""The form of the pipeline file. A file that was good stays good for as long as this says v1."""


class Role(StrEnum):
    LIVE = "live"
    PREVIOUS = "previous"
    CANDIDATE = "candidate"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of one pipeline on one engine."""

    pipeline: str
    environment: str

    @property
    def labels(self) -> dict[str, str]:
        return {f"{LABEL}.pipeline": self.pipeline, f"{LABEL}.environment": self.environment}


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one replica of a service: its name, and the names beside it while containers change places."""

    name: str

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
        """Every name that a container of this slot may have."""
        return (self.name, self.next, self.previous, self.older, self.trial)


def is_aside(name: str) -> bool:
    """Whether a container's name says that it was moved aside, and serves no longer."""
    return name.endswith(("-previous", "-older"))


def slots(place: Place, service: str, replicas: int, fixed: str | None) -> tuple[Slot, ...]:
    """`<pipeline>-<environment>-<service>`, then `…-2`, `…-3`; or the file's own container_name."""
    base = fixed or f"{place.pipeline}-{place.environment}-{service}"
    return tuple(Slot(base if number == 1 else f"{base}-{number}") for number in range(1, replicas + 1))


def once_name(place: Place, number: int) -> str:
    """What the job of the environment's `number`th step before the switch is called, counted from 0."""
    return f"{place.pipeline}-{place.environment}-before-{number + 1}"


def container_labels(
    place: Place, service: str, release: str, digest: str, promotion: str, role: Role, ledger: str | None = None
) -> Mapping[str, str]:
    return {
        **place.labels,
        **({LEDGER: ledger} if ledger else {}),
        f"{LABEL}.service": service,
        f"{LABEL}.release": release,
        f"{LABEL}.digest": digest,
        f"{LABEL}.promotion": promotion,
        f"{LABEL}.role": str(role),
    }


def service_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.service", "")


def promotion_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.promotion", "")


def role_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.role", "")


def owner_of(labels: Mapping[str, str]) -> str | None:
    return labels.get(OWNER)


def ledger_of(labels: Mapping[str, str]) -> str | None:
    return labels.get(LEDGER)


def release_of(labels: Mapping[str, str]) -> str:
    return labels.get(f"{LABEL}.release", "")
