"""Owners of containers, networks and volumes. Names can be equal by accident, so only labels decide what may be changed."""

from collections.abc import Mapping

from promoter.model.errors import StartError
from promoter.model.labels import LABEL, Namespace

Labels = Mapping[str, str]


def owner_labels(namespace: Namespace, service: str | None = None) -> Labels:
    """Return the labels of objects of this pipeline, environment and (if given) service."""
    return {**namespace.labels, **({f"{LABEL}.service": service} if service is not None else {})}


def is_owned(labels: Labels, owner: Labels) -> bool:
    return owner.items() <= labels.items()


def not_ours(kind: str, name: str, labels: Labels, owner: Labels) -> StartError:
    """Return the error for an object of another owner with a name that is needed here."""
    found = _format_labels(labels)
    return StartError(
        f"{kind} {name} is not ours: expected the labels of {_format_labels(owner)}, got {found or 'none of promoter'}",
        hint=f"rename or remove that {kind}, or use another name; promoter changes only what it created",
    )


def _format_labels(labels: Labels) -> str:
    parts = (labels.get(f"{LABEL}.{key}") for key in ("pipeline", "environment", "service"))
    return "/".join(part for part in parts if part)
