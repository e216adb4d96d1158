"""Whose a container, network or volume is. Names can meet by accident, so only labels decide what may be touched."""

from collections.abc import Mapping

from promoter.model.errors import StartError
from promoter.model.labels import LABEL, Place

Labels = Mapping[str, str]


def owner_labels(place: Place, service: str | None = None) -> Labels:
    """The labels that something of this pipeline and environment (and service, where one is named) carries."""
    return {**place.labels, **({f"{LABEL}.service": service} if service is not None else {})}


def is_owned(labels: Labels, owner: Labels) -> bool:
    return owner.items() <= labels.items()


def not_ours(kind: str, name: str, labels: Labels, owner: Labels) -> StartError:
    """The refusal to touch something of another owner under a name that is needed here."""
    found = _say(labels)
    return StartError(
        f"{kind} {name} is not ours: expected the labels of {_say(owner)}, got {found or 'none of promoter'}",
        hint=f"rename or remove that {kind}, or give this one another name; promoter changes only what it made itself",
    )


def _say(labels: Labels) -> str:
    parts = (labels.get(f"{LABEL}.{key}") for key in ("pipeline", "environment", "service"))
    return "/".join(part for part in parts if part)
