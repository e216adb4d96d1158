"""Compare the containers of an environment with its record. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from promoter.model.dataclass import dataclass
from promoter.model.diff import format_value
from promoter.model.findings import Finding, FindingKind
from promoter.model.images import Digest
from promoter.model.labels import service_of
from promoter.model.secrets import OPENING, names_in
from promoter.promotion.inspection.current import fault
from promoter.promotion.inspection.record import Record, Replica
from promoter.promotion.ports.container import Container, Observation

Reveal = Callable[[str], str | None]
"""Returns a text with the values of its secrets; None if they are not those of the promotion, or cannot be read here."""
_HIDDEN = "set, value not shown"


@dataclass
class Compared:
    """Findings, and sentences about what could not be compared."""

    findings: list[Finding] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)


def state_findings(record: Record, replica: Replica) -> Iterator[Finding]:
    """Yield a finding if the recorded container is gone, is another one, or does not run."""
    service, seen, path = replica.service, replica.found, f"services.{replica.service}.containers"
    if seen is None:
        yield Finding(service, replica.slot.name, FindingKind.MISSING, path, replica.recorded[:12], None)
        return
    if replica.replaced:
        yield Finding(service, replica.slot.name, FindingKind.REPLACED, path, replica.recorded[:12], seen.id[:12])
    if not seen.running and fault(seen, completes=record.completes(service)):
        yield Finding(service, seen.name, FindingKind.STOPPED, path, "running", _stopped(seen))
    elif seen.name != replica.slot.name:
        name = f"services.{service}.container_name"
        yield Finding(service, seen.name, FindingKind.CONFIGURATION, name, replica.slot.name, seen.name)


def unrecorded_findings(record: Record, containers: Iterable[Container]) -> Iterator[Finding]:
    """Yield a finding for each container that the record does not name."""
    for container in containers:
        service = service_of(container.labels)
        planned = service in record.plan.environment.services
        kind = FindingKind.EXTRA if planned else FindingKind.ORPHANED
        found = f"{container.status}, {container.id[:12]}"
        yield Finding(service, container.name, kind, f"services.{service}.containers", None, found)


def digest_finding(record: Record, replica: Replica, seen: Observation, known: frozenset[Digest]) -> Finding | None:
    """Return a finding if the container has none of the digests under which the registry knows the recorded image.

    An index, the manifest of a platform and a configuration are three digests of the same image.
    """
    if seen.digests & known or replica.found is None:
        return None
    found = ", ".join(sorted(map(str, seen.digests))) or "an image without a digest"
    expected = str(record.plan.images[replica.service].digest)
    shown = f"{found} ({seen.image})"
    return Finding(replica.service, replica.found.name, FindingKind.DIGEST, f"images.{replica.service}", expected, shown)


def configuration(replica: Replica, seen: Observation, reveal: Reveal, relative: Mapping[str, str]) -> Compared:
    """Compare the settings. `relative` has the sources of mounts beside the pipeline file, by the path inside."""
    assert replica.found is not None
    compared = Compared(not_compared=[f"{replica.service}: {note}" for note in seen.not_compared])
    for path in sorted(seen.wanted.keys() | seen.found.keys()):
        wanted, found = seen.wanted.get(path), seen.found.get(path)
        value = revealed(wanted, reveal)
        if wanted is not None and value is None:
            names = ", ".join(_secrets_in(wanted))
            compared.not_compared.append(f"{replica.service}: {path}, because secret {names} is not that of the promotion here")
        elif value != found and not _is_other_checkout(path, wanted, found, relative):
            expected, shown = _shown(path, wanted, found)
            full = f"services.{replica.service}.{path}"
            compared.findings.append(
                Finding(replica.service, replica.found.name, FindingKind.CONFIGURATION, full, expected, shown)
            )
    return compared


def revealed(value: object, reveal: Reveal) -> object:
    """Return a value with the secrets in its texts; None if one of them is not known."""
    if isinstance(value, str):
        return reveal(value) if OPENING in value else value
    if isinstance(value, Mapping):
        pairs = {key: revealed(item, reveal) for key, item in value.items()}
        return None if _lost(value.values(), pairs.values()) else pairs
    if isinstance(value, (list, tuple)):
        items = [revealed(item, reveal) for item in value]
        return None if _lost(value, items) else items
    return value


def _lost(before: Iterable[object], after: Iterable[object]) -> bool:
    return any(one is not None and other is None for one, other in zip(before, after, strict=True))


def _stopped(seen: Container) -> str:
    """Describe a container that does not run. The time tells a second stop from the first."""
    if seen.shortfall:
        return seen.shortfall
    since = f" since {seen.finished_at[:19]}Z" if seen.finished_at and seen.status == "exited" else ""
    return f"{seen.status} (exit code {seen.exit_code}){since}"


def _shown(path: str, wanted: object, found: object) -> tuple[str | None, str | None]:
    """Return both values as texts. A value from a secret, and a variable that the record does not name, are not shown."""
    names = _secrets_in(wanted)
    if names:
        return f"the value of secret {', '.join(names)}", None if found is None else "another value"
    if wanted is None and path.startswith("environment."):
        return None, _HIDDEN
    return None if wanted is None else format_value(wanted), None if found is None else format_value(found)


def _secrets_in(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return names_in(value)
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return tuple(dict.fromkeys(name for item in items for name in _secrets_in(item)))


def _is_other_checkout(path: str, wanted: object, found: object, relative: Mapping[str, str]) -> bool:
    """Return whether two mounts are of the same file beside the pipeline file, in two checkouts."""
    source = relative.get(path.removeprefix("volumes.").strip('"')) if path.startswith("volumes.") else None
    if source is None or not isinstance(wanted, Mapping) or not isinstance(found, Mapping):
        return False
    same = {**wanted, "source": None} == {**found, "source": None}
    return same and str(found["source"]).endswith(source.removeprefix("."))
