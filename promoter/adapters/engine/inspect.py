"""Convert the engine's JSON about containers and images to the port's values. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from promoter.model.addresses import EVERY_ADDRESS
from promoter.model.images import BadReference, Digest, ImageRef, Repository
from promoter.model.pattern import pattern
from promoter.promotion.ports.container import Container, HealthProbe

Document = Mapping[str, Any]
_ENGINE_NAMED = pattern("[0-9a-f]{64}")


def container(document: Document) -> Container:
    """Make a container from the JSON of `GET /containers/ID/json`."""
    state, config = document["State"], document["Config"]
    health = state.get("Health") or {}
    status = health.get("Status")
    return Container(
        id=document["Id"],
        name=document["Name"].lstrip("/"),
        labels=dict(config.get("Labels") or {}),
        status=state["Status"],
        exit_code=state.get("ExitCode") or 0,
        oom_killed=bool(state.get("OOMKilled")),
        restart_count=document.get("RestartCount") or 0,
        started_at=state.get("StartedAt") or "",
        health=status if status and status != "none" else None,
        health_log=tuple(_probe(entry) for entry in health.get("Log") or ()),
        healthcheck=_test(config.get("Healthcheck") or {}),
        published=_published((document.get("NetworkSettings") or {}).get("Ports") or {}),
        error=state.get("Error") or "",
        finished_at=state.get("FinishedAt") or "",
        anonymous=_anonymous(document.get("Mounts") or ()),
        addresses=_addresses((document.get("NetworkSettings") or {}).get("Networks") or {}),
    )


def _addresses(networks: Mapping[str, Document | None]) -> frozenset[str]:
    found = (network.get(key) for network in networks.values() if network for key in ("IPAddress", "GlobalIPv6Address"))
    return frozenset(address for address in found if address)


def _anonymous(mounts: Iterable[Document]) -> dict[str, str]:
    """Return the volumes that the engine named itself (64 hex digits), by path; also if a later container mounts one by name."""
    return {
        mount["Destination"]: mount["Name"]
        for mount in mounts
        if mount.get("Type") == "volume" and _ENGINE_NAMED.fullmatch(mount.get("Name") or "")
    }


def _probe(entry: Document) -> HealthProbe:
    return HealthProbe(entry.get("End") or entry.get("Start") or "", entry.get("ExitCode") or 0, entry.get("Output") or "")


def _test(check: Document) -> tuple[str, ...] | None:
    test = tuple(check.get("Test") or ())
    return test if test and test[0] != "NONE" else None


def _published(ports: Mapping[str, list[Document] | None]) -> dict[str, tuple[str, int]]:
    """Return the host address and port of each published port. If a port has several bindings, an IPv4 one is preferred."""
    published = {}
    for port, bindings in ports.items():
        if bindings:
            chosen = next((b for b in bindings if ":" not in (b.get("HostIp") or "")), bindings[0])
            published[port] = (chosen.get("HostIp") or EVERY_ADDRESS, int(chosen["HostPort"]))
    return published


def digests(image: Document, repository: Repository) -> tuple[Digest, ...]:
    """Return the digests of an image in one repository."""
    refs = _references(image.get("RepoDigests") or ())
    return tuple(sorted(ref.digest for ref in refs if ref.repository == repository))


def _references(names: Iterable[str]) -> list[ImageRef]:
    refs = []
    for name in names:
        try:
            refs.append(ImageRef.parse(name))
        except BadReference:  # `<none>@sha256:…` is the engine's text for an image that lost its name
            continue
    return refs


def running_digest(document: Document, image: Document | None, repository: Repository, expected: Digest) -> Digest | None:
    """Return the digest of `repository` that a container runs.

    It is read from the digests of its image, or else from the reference that the container was made from.
    """
    known = digests(image, repository) if image is not None else ()
    if expected in known:
        return expected
    if known:
        return known[0]
    platform = (document.get("ImageManifestDescriptor") or {}).get("digest")
    if str(expected) in (document.get("Image"), platform):
        return expected
    # The image has lost its names. A container with `repository@digest` in its configuration was made from exactly that digest.
    made_from = _references([document["Config"].get("Image") or ""])
    return made_from[0].digest if made_from and made_from[0].repository == repository else None
