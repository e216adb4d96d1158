"""Read how a container was created, beside how a spec would create it. It sends GET requests only."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from promoter.adapters.engine.connection import Link
from promoter.adapters.engine.create_body import create_body
from promoter.adapters.engine.files import text_in
from promoter.adapters.engine.settings import Settings, flat, merged, mounts_in, mounts_of
from promoter.model.images import BadReference, Digest
from promoter.model.redaction import unchanged
from promoter.promotion.ports.container import ContainerSpec, Observation

Json = Mapping[str, Any]
LEFT_TO_THE_ENGINE = frozenset(
    {"logging", "runtime", "shm_size", "memswap_limit", "ulimits", "oom_score_adj", "annotations", "storage_opt"}
)
"""Settings for which an engine has defaults of its own. They are compared only if the spec sets them."""
_MAY_BE_DISCARDED = frozenset({"memswap_limit", "mem_swappiness", "oom_kill_disable", "cpu_rt_period", "cpu_rt_runtime"})
"""Settings that an engine leaves out, with a warning, if its kernel does not support them."""
_ENVIRONMENT = "environment."


class Observing(Link):
    """The methods `observe` and `read` of the Engine port."""

    def observe(self, container: str, spec: ContainerSpec) -> Observation | None:
        what = f"container {container} could not be inspected"
        document = self.document(what, "/containers/{0}/json", container)
        if document is None:
            return None
        image = self.document(f"the image of {what}", "/images/{0}/json", document["Image"])
        return observation(document, image, spec, podman=bool(self.client().podman))

    def read(self, container: str, path: str) -> str | None:
        what = f"{path} in container {container} could not be read"
        answer = self.answer(what, "/containers/{0}/archive", container, params={"path": path})
        return None if answer is None else text_in(answer.content)


def observation(document: Json, image: Json | None, spec: ContainerSpec, *, podman: bool = False) -> Observation:
    """Return an observation from the engine's JSON. Pure. `image` is None if the engine does not have the image any more."""
    digests, name = frozenset(_digests(document, image)), _name(document, image)
    if image is None:
        return Observation({}, {}, digests, name, ("settings: the image of the container is no longer on the engine",))
    wanted, found = _wanted(spec, image.get("Config") or {}), _found(document, spec)
    if podman:
        return Observation(*_environments(wanted, found), digests, name, ("settings except environment variables: Podman",))
    left = sorted(LEFT_TO_THE_ENGINE & found.keys() - wanted.keys())
    dropped = sorted(_MAY_BE_DISCARDED & wanted.keys() - found.keys())
    notes = [f"{', '.join(left)}: the plan leaves them to the engine"] if left else []
    notes += [f"{', '.join(dropped)}: this engine does not support them"] if dropped else []
    return Observation(_without(wanted, dropped), _without(found, left), digests, name, tuple(notes))


def _wanted(spec: ContainerSpec, image: Json) -> Settings:
    body = create_body(spec, unchanged)
    networks = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    return flat(merged(body, image), body["HostConfig"], mounts_in(body["HostConfig"], image), networks)


def _found(document: Json, spec: ContainerSpec) -> Settings:
    config, host = dict(document["Config"]), document.get("HostConfig") or {}
    if spec.service.hostname is None and (config.get("Hostname") == document["Id"][:12] or host.get("NetworkMode") == "host"):
        config["Hostname"] = None  # the engine chose it
    mounts = mounts_of(document)
    if spec.service.volumes_from:  # the mounts of others, which the request does not name
        targets = {mount.target for mount in spec.service.volumes}
        mounts = {target: mount for target, mount in mounts.items() if target in targets}
    return flat(config, host, mounts, _networks(document, spec))


def _networks(document: Json, spec: ContainerSpec) -> dict[str, Json]:
    """Return the networks of a container. The engine adds aliases of its own; only those of the spec are compared."""
    found: dict[str, Json] = {}
    networks = (document.get("NetworkSettings") or {}).get("Networks") or {}
    for name, endpoint in networks.items():
        if not spec.service.networks and name in {"bridge", "host", "none"}:
            continue
        wanted = spec.service.networks.get(name)
        aliases = set(wanted.aliases) & set((endpoint or {}).get("Aliases") or ()) if wanted else set[str]()
        found[name] = {**(endpoint or {}), "Aliases": sorted(aliases)}
    return found


def _environments(wanted: Settings, found: Settings) -> tuple[Settings, Settings]:
    """Return the variables that the spec names: Podman adds others, and shows other settings in a form of its own."""
    names = {path for path in wanted if path.startswith(_ENVIRONMENT)}
    return {path: wanted[path] for path in names}, {path: found[path] for path in names & found.keys()}


def _without(settings: Settings, paths: Iterable[str]) -> Settings:
    return {path: value for path, value in settings.items() if path not in set(paths)}


def _digests(document: Json, image: Json | None) -> Iterator[Digest]:
    platform = (document.get("ImageManifestDescriptor") or {}).get("digest")
    names = [document.get("Image"), platform, *((image or {}).get("RepoDigests") or ())]
    if image is None:
        names.append(document["Config"].get("Image"))
    for name in names:
        text = str(name or "").rpartition("@")[2]
        try:
            yield Digest.parse(text if ":" in text else f"sha256:{text}")
        except BadReference:  # a name without a digest
            continue


def _name(document: Json, image: Json | None) -> str:
    created = str((image or {}).get("Created") or "")[:10]
    name = str(document["Config"].get("Image") or document.get("Image") or "an unknown image")
    return f"{name}, made {created}" if created else name
