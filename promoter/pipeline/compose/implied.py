"""Keys of a service that imply other keys: links, shared name spaces, `scale`. Pure, on canonical values."""

from collections.abc import Mapping
from typing import Any

Canonical = dict[str, Any]
SHARED = ("network_mode", "pid", "ipc")
"""Keys whose value may be `service:NAME`, the name space of that service."""


def joined(value: object) -> str | None:
    """Return the service whose name space `value` names."""
    return value.removeprefix("service:") if isinstance(value, str) and value.startswith("service:") else None


def volumes_service(text: str) -> str | None:
    """Return the service whose volumes an entry of `volumes_from` names; None for a container that is not part of the file."""
    return None if text.startswith("container:") else text.partition(":")[0]


def apply_implied(services: Mapping[str, Canonical]) -> dict[str, Canonical]:
    """Add dependencies for links and shared name spaces, aliases for links, and replicas from `scale`."""
    found = {name: _alone(service) for name, service in services.items()}
    for name, service in services.items():
        for other, alias in (_link(link) for link in service.get("links", ())):
            if alias is not None and other in found:
                found[other] = _with_alias(found[other], found[name], alias)
    return found


def _alone(service: Canonical) -> Canonical:
    made = {key: value for key, value in service.items() if key not in ("extends", "links", "profiles", "scale")}
    if "scale" in service:
        made["deploy"] = {**made.get("deploy", {}), "replicas": service["scale"]}
    needed: dict[str, dict[str, Any]] = {
        other: {"restart": True} for other, _ in (_link(link) for link in service.get("links", ()))
    }
    needed |= {other: {"restart": True} for key in SHARED if (other := joined(service.get(key)))}
    needed |= {other: {} for text in service.get("volumes_from", ()) if (other := volumes_service(text)) and other not in needed}
    if needed:
        made["depends_on"] = {**needed, **made.get("depends_on", {})}
    return made


def _link(text: str) -> tuple[str, str | None]:
    service, _, alias = text.partition(":")
    return service, alias if alias and alias != service else None


def _with_alias(service: Canonical, seen_from: Canonical, alias: str) -> Canonical:
    """Add the aliases of links, on the networks that both services join."""
    if "network_mode" in service or "network_mode" in seen_from:
        return service
    theirs = seen_from.get("networks") or {"default": {}}
    networks = {
        name: {**attachment, "aliases": tuple(dict.fromkeys((*attachment.get("aliases", ()), alias)))}
        if name in theirs
        else attachment
        for name, attachment in (service.get("networks") or {"default": {}}).items()
    }
    return {**service, "networks": networks}
