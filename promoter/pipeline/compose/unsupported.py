"""Keys of the Compose Specification that promoter does not support: refused by name, with the reason and a remedy.

Keys that change nothing are dropped with a remark instead: Compose ignores them too.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    why: str
    instead: str


def reason(shape: str, key: str) -> Refusal | None:
    """Return why `key` of this class is refused; None if Compose does not have the key."""
    return _REFUSED.get(_SAME.get(shape, shape), {}).get(key)


def dropped(shape: str, key: str) -> str | None:
    """Return why `key` of this class is left out with a remark."""
    return _DROPPED.get(_SAME.get(shape, shape), {}).get(key)


def dropped_keys(shape: str) -> tuple[str, ...]:
    return tuple(_DROPPED.get(_SAME.get(shape, shape), {}))


def keys(shape: str) -> tuple[str, ...]:
    return tuple(_REFUSED.get(_SAME.get(shape, shape), {}))


_SAME = {
    "Written": "Service",
    "LongMount": "Mount",
    "NetworkForm": "Network",
    "VolumeForm": "Volume",
    "ConfigForm": "Config",
    "SecretForm": "Secret",
    "Reservations": "Limits",
}
_SWARM = Refusal("only a swarm's scheduler uses it", "remove it")
_WINDOWS = Refusal("it is for Windows containers", "remove it")
_HOOK = Refusal("promoter cannot check whether it ran", "use `before` or `verify` of the environment")
_AI = Refusal("it starts programs outside containers, which have no digest", "run it as a service with an image")

_PULLED = "images are pulled by digest, once, if they are missing"
_WINDOWS_ONLY = "only engines on Windows use it"
_SCHEDULER = "only Swarm reads it, and promoter does not pass it on"
_DROPPED: dict[str, dict[str, str]] = {
    "Service": {
        "pull_policy": _PULLED,
        "pull_refresh_after": _PULLED,
        "develop": "it is for development only: it watches local files",
        "attach": "promoter never attaches to a service's output",
        "cpu_count": _WINDOWS_ONLY,
        "cpu_percent": _WINDOWS_ONLY,
    },
    "Build": {
        "tags": "a release is named by its digests",
        "cache_to": "promoter does not export build caches",
        "provenance": "it adds a time to the image, so that two equal builds would have different digests",
        "sbom": "it would give two equal builds different digests; create it from the pushed image",
    },
    "Limits": {"generic_resources": _SCHEDULER},
    "Config": {"template_driver": _SCHEDULER, "name": _SCHEDULER, "labels": _SCHEDULER},
    "Secret": {"template_driver": _SCHEDULER, "name": _SCHEDULER, "labels": _SCHEDULER},
    "Mount": {"consistency": "only Docker Desktop uses it"},
}

_REFUSED: dict[str, dict[str, Refusal]] = {
    "Service": {
        "post_start": _HOOK,
        "pre_start": _HOOK,
        "pre_stop": _HOOK,
        "credential_spec": _WINDOWS,
        "isolation": _WINDOWS,
        "provider": _AI,
        "models": _AI,
        "use_api_socket": Refusal("it gives a container control over the engine", "mount the socket with `volumes`, if you must"),
    },
    "Build": {
        "isolation": _WINDOWS,
    },
    "Mount": {
        "image": Refusal("the release would not pin this image", "copy the files into the service's image"),
    },
    "Config": {
        "external": Refusal("configs of a swarm are not part of the plan", "use `content`, `file` or `environment`"),
    },
    "Secret": {
        "external": Refusal("promoter cannot check that a secret of a swarm exists", "use `env`, `file` or `command`"),
        "driver": _SWARM,
        "driver_opts": _SWARM,
    },
    "Compose": {
        "models": _AI,
    },
}
