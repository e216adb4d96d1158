"""Keys of the Compose Specification that promoter does not support: refused by name, with the reason and a remedy.

Keys that change nothing on one host are dropped with a remark instead: Compose ignores them there too.
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
}
_SWARM = Refusal("only a swarm's scheduler uses it", "remove it")
_SERVICE_LINK = Refusal(
    "links are a legacy feature of Docker; services of an environment reach each other by name",
    "remove it, or use `networks` with `aliases`",
)
_CGROUP = Refusal("it configures block devices and schedulers of the host", "set it on the engine's host")
_HOOK = Refusal("promoter cannot check whether it ran", "use `before` or `verify` of the environment")
_AI = Refusal("it starts programs outside containers, which have no digest", "run it as a service with an image")

_PULLED = "images are pulled by digest, once, if they are missing"
_SCHEDULER = "only a swarm's scheduler reads it"
_DROPPED: dict[str, dict[str, str]] = {
    "Service": {
        "pull_policy": _PULLED,
        "pull_refresh_after": _PULLED,
        "develop": "it is for development only: it watches local files",
        "attach": "promoter never attaches to a service's output",
    },
    "Build": {
        "tags": "a release is named by its digests",
        "cache_to": "promoter does not export build caches",
    },
    "Deploy": {
        "mode": _SCHEDULER,
        "placement": _SCHEDULER,
        "endpoint_mode": _SCHEDULER,
        "update_config": "`strategy` of the environment decides how a service is replaced",
        "rollback_config": "promoter decides how a service is restored",
        "labels": "they belong to a swarm service, not to its containers",
    },
    "RestartPolicy": {"delay": "the engine chooses the delay", "window": _SCHEDULER},
    "Mount": {"consistency": "only Docker Desktop uses it"},
}

_REFUSED: dict[str, dict[str, Refusal]] = {
    "Service": {
        "external_links": _SERVICE_LINK,
        "volumes_from": Refusal("it shares volumes without naming them", "name a volume and mount it in both services"),
        "post_start": _HOOK,
        "pre_start": _HOOK,
        "pre_stop": _HOOK,
        "provider": _AI,
        "models": _AI,
        "use_api_socket": Refusal("it gives a container control over the engine", "mount the socket with `volumes`, if you must"),
        "gpus": Refusal("promoter cannot verify which devices a container got", "start such services with another tool"),
        "credential_spec": Refusal("it is for Windows containers", "remove it"),
        "isolation": Refusal("it is for Windows containers", "remove it"),
        "cpu_count": Refusal("it is for Windows containers", "use `cpus`"),
        "cpu_percent": Refusal("it is for Windows containers", "use `cpus`"),
        "cpu_period": Refusal("it is another spelling of `cpus`", "use `cpus`"),
        "cpu_quota": Refusal("it is another spelling of `cpus`", "use `cpus`"),
        "cpu_rt_period": _CGROUP,
        "cpu_rt_runtime": _CGROUP,
        "blkio_config": _CGROUP,
        "cgroup_parent": _CGROUP,
        "device_cgroup_rules": Refusal("it gives access to devices without naming them", "use `devices`"),
        "mem_swappiness": Refusal("engines on cgroup v2 ignore it", "remove it, or set it on the host"),
        "oom_kill_disable": Refusal("engines on cgroup v2 ignore it", "use `oom_score_adj`"),
        "mac_address": Refusal("Compose moved it to the network", "write it under `networks`, in the network's own entry"),
        "storage_opt": Refusal("most storage drivers do not support it, and fail late", "set it on the engine"),
        "userns_mode": Refusal("it weakens the user namespaces of the engine", "set it on the engine"),
        "label_file": Refusal("labels must be part of the plan that people approve", "write them under `labels`"),
    },
    "Build": {
        "additional_contexts": Refusal("the engine's builder supports only one context", "copy what is needed into the context"),
        "entitlements": Refusal("they weaken the isolation of the build", "remove it"),
        "isolation": Refusal("it is for Windows containers", "remove it"),
        "privileged": Refusal("it weakens the isolation of the build", "remove it"),
        "provenance": Refusal("it adds a time to the image, so that the digest always changes", "remove it"),
        "sbom": Refusal("it makes the digest differ between two equal builds", "create it from the pushed image"),
        "secrets": Refusal("the engine's builder does not support them", "download private files before the build"),
        "ssh": Refusal("the engine's builder cannot forward an agent", "download private files before the build"),
        "ulimits": Refusal("the engine's builder ignores them", "remove it"),
        "no_cache_filter": Refusal("the engine's builder does not support it", "use `no_cache`"),
    },
    "Limits": {
        "devices": Refusal("promoter cannot verify which devices a container got", "use `devices` of the service"),
        "generic_resources": _SWARM,
    },
    "Mount": {
        "image": Refusal("the release would not pin this image", "copy the files into the service's image"),
    },
    "BindOptions": {
        "recursive": Refusal("older engines ignore it", "remove it"),
    },
    "VolumeOptions": {"labels": Refusal("the volume is shared by the environment", "use `labels` of the top-level volume")},
    "Attachment": {
        "priority": Refusal("engines treat it differently", "remove it"),
        "gw_priority": Refusal("only the newest engines support it", "remove it"),
        "interface_name": Refusal("only the newest engines support it", "remove it"),
        "link_local_ips": Refusal("most network drivers do not support them", "remove it"),
        "driver_opts": Refusal("most network drivers do not support them", "use `driver_opts` of the top-level network"),
    },
    "Network": {
        "enable_ipv4": Refusal("only the newest engines support it", "remove it"),
    },
    "Config": {
        "external": Refusal("configs of a swarm are not part of the plan", "use `content`, `file` or `environment`"),
        "template_driver": _SWARM,
        "name": _SWARM,
        "labels": _SWARM,
    },
    "Secret": {
        "external": Refusal("promoter cannot check that a secret of a swarm exists", "use `env`, `file` or `command`"),
        "driver": _SWARM,
        "driver_opts": _SWARM,
        "template_driver": _SWARM,
        "name": _SWARM,
        "labels": _SWARM,
    },
    "Compose": {
        "models": _AI,
    },
}  # fmt: skip
