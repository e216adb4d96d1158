"""Rules for names on an engine: every container, network and volume of the file must have a unique name."""

from collections.abc import Iterator, Sequence

from promoter.model.labels import Namespace, once_name, slots
from promoter.pipeline.engine_names import service_spot
from promoter.pipeline.file_text import FileText
from promoter.pipeline.problems import Spot
from promoter.pipeline.resolver import Resolved

Claim = tuple[str, str, str, Spot]
"""A kind and a name, what needs it, and its position in the file."""

_HINTS = {
    "container": 'rename one of them, or make `container_name` differ: "{{ environment }}-…"',
    "service": "rename one of them",
    "network": "rename one of them; to share one, declare it `external: true`",
    "volume": "rename one of them; to share one, declare it `external: true`",
}


def check_names(text: FileText, environments: Sequence[Resolved]) -> None:
    """Check names for conflicts, also those that a container has only during a promotion (`-next`, `-previous`)."""
    taken: dict[tuple[str | None, str, str], str] = {}
    for resolved in environments:
        reported = set()
        for kind, name, who, spot in _claims(text, resolved):
            for engine in resolved.environment.engines:
                holder = taken.setdefault((engine, kind, name), who)
                if holder != who and (holder, who) not in reported:
                    reported.add((holder, who))
                    message = f"{kind} name {name} is already used by {holder}"
                    resolved.filler.complain(spot, message, _HINTS[kind], on_key=not _is_container_name(spot))


def _claims(text: FileText, resolved: Resolved) -> Iterator[Claim]:
    environment = resolved.environment
    namespace, top = Namespace(text.head.name, environment.name), resolved.text.spot
    for service, config in environment.services.items():
        if environment.swarm is not None:
            yield (
                "service",
                slots(namespace, service, 1, None)[0].name,
                f"{service} in {environment.name}",
                text.layers[service].spot,
            )
            continue
        for slot in slots(namespace, service, config.replicas, config.container_name):
            for name in slot.names:
                yield "container", name, f"{service} in {environment.name}", _spot(text, resolved, service, config.container_name)
    for number, _ in enumerate(environment.before):
        yield (
            "container" if environment.swarm is None else "service",
            once_name(namespace, number),
            f"job {number + 1} of {environment.name}",
            top / "before",
        )
    for network in environment.networks.values():
        if not network.external:
            yield "network", network.name, f"{environment.name}/{network.name}", top
    for volume in environment.volumes.values():
        if not volume.external:
            yield "volume", volume.name, f"{environment.name}/{volume.name}", top


def _is_container_name(spot: Spot) -> bool:
    return spot.path[-1:] == ("container_name",)


def _spot(text: FileText, resolved: Resolved, service: str, container_name: str | None) -> Spot:
    """Return the position of the name: `container_name`, or that of the service."""
    if container_name is not None:
        return service_spot(text, resolved.text, service, "container_name") / "container_name"
    return text.layers[service].spot
