"""Keys of the Compose Specification that promoter does not carry out: refused by name, with the reason and a way out.

Those that change nothing about what runs on one host are dropped instead, with a remark: Compose ignores them there too.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    why: str
    instead: str


def reason(shape: str, key: str) -> Refusal | None:
    """Why `key` of this shape (a class of this package) is refused; None when Compose does not know it either."""
    return _REFUSED.get(_SAME.get(shape, shape), {}).get(key)


def dropped(shape: str, key: str) -> str | None:
    """Why `key` of this shape is left out with a remark."""
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
_SWARM = Refusal("it speaks to a swarm's scheduler", "drop it")
_SERVICE_LINK = Refusal(
    "links are Docker's legacy; services of an environment reach each other by name", "drop it, or use `networks` with `aliases`"
)
_CGROUP = Refusal("it tunes the engine's block devices and schedulers", "set it on the engine's host")
_HOOK = Refusal("it runs where promoter could not tell whether it was done", "use `before` or `verify` of the environment")
_AI = Refusal("it starts programs outside containers, which no digest pins", "run it as a service with an image")

_PULLED = "images are pulled by digest, once, when they are not there"
_SCHEDULER = "only a swarm's scheduler reads it"
_DROPPED: dict[str, dict[str, str]] = {
    "Service": {
        "pull_policy": _PULLED,
        "pull_refresh_after": _PULLED,
        "develop": "it watches files on a developer's machine",
        "attach": "promoter never attaches to a service's output",
    },
    "Build": {
        "tags": "a release is named by its digests",
        "cache_to": "exporting a cache is the builder's own business",
    },
    "Deploy": {
        "mode": _SCHEDULER,
        "placement": _SCHEDULER,
        "endpoint_mode": _SCHEDULER,
        "update_config": "promoter decides itself how a service is replaced",
        "rollback_config": "promoter decides itself how a service is put back",
        "labels": "they are a swarm service's, and no container has them",
    },
    "RestartPolicy": {"delay": "an engine chooses its delays itself", "window": _SCHEDULER},
    "Mount": {"consistency": "only desktop engines know it"},
}

_REFUSED: dict[str, dict[str, Refusal]] = {
    "Service": {
        "external_links": _SERVICE_LINK,
        "volumes_from": Refusal("it shares volumes that nobody names", "name a volume and mount it in both services"),
        "post_start": _HOOK,
        "pre_start": _HOOK,
        "pre_stop": _HOOK,
        "provider": _AI,
        "models": _AI,
        "use_api_socket": Refusal("it hands the engine itself to a container", "mount the socket by `volumes`, if you must"),
        "gpus": Refusal("promoter cannot prove which devices a container got", "start such services by other means"),
        "credential_spec": Refusal("it is for Windows containers", "drop it"),
        "isolation": Refusal("it is for Windows containers", "drop it"),
        "cpu_count": Refusal("it is for Windows containers", "use `cpus`"),
        "cpu_percent": Refusal("it is for Windows containers", "use `cpus`"),
        "cpu_period": Refusal("it is another spelling of `cpus`", "use `cpus`"),
        "cpu_quota": Refusal("it is another spelling of `cpus`", "use `cpus`"),
        "cpu_rt_period": _CGROUP,
        "cpu_rt_runtime": _CGROUP,
        "blkio_config": _CGROUP,
        "cgroup_parent": _CGROUP,
        "device_cgroup_rules": Refusal("it opens devices that nothing names", "use `devices`"),
        "mem_swappiness": Refusal("engines on cgroup v2 ignore it", "drop it, or set it on the host"),
        "oom_kill_disable": Refusal("engines on cgroup v2 ignore it", "use `oom_score_adj`"),
        "mac_address": Refusal("Compose moved it to the network", "write it under `networks`, in the network's own entry"),
        "storage_opt": Refusal("few storage drivers know it, and the others fail late", "set it on the engine"),
        "userns_mode": Refusal("it weakens the engine's user namespaces for one container", "set it on the engine"),
        "label_file": Refusal("labels belong to the plan that people approve", "write them under `labels`"),
    },
    "Build": {
        "additional_contexts": Refusal("the engine's own builder takes one context", "copy what is needed into the context"),
        "entitlements": Refusal("they lift the walls around a build", "drop it"),
        "isolation": Refusal("it is for Windows containers", "drop it"),
        "privileged": Refusal("it lifts the walls around a build", "drop it"),
        "provenance": Refusal("it puts a time into the digest", "drop it"),
        "sbom": Refusal("it would change the digest between two equal builds", "make it from the pushed image"),
        "secrets": Refusal("the engine's own builder has none", "fetch what is private before the build"),
        "ssh": Refusal("the engine's own builder cannot forward an agent", "fetch what is private before the build"),
        "ulimits": Refusal("the engine's builder ignores them", "drop it"),
        "no_cache_filter": Refusal("the engine's own builder cannot do it", "use `no_cache`"),
    },
    "Limits": {
        "devices": Refusal("promoter cannot prove which devices a container got", "use `devices` of the service"),
        "generic_resources": _SWARM,
    },
    "Mount": {
        "image": Refusal("the image would not be pinned by the release", "copy the files into the service's image"),
    },
    "BindOptions": {
        "recursive": Refusal("old engines ignore it", "drop it"),
    },
    "VolumeOptions": {"labels": Refusal("the volume is shared by the environment", "use `labels` of the top-level volume")},
    "Attachment": {
        "priority": Refusal("engines differ in what they make of it", "drop it"),
        "gw_priority": Refusal("only the newest engines know it", "drop it"),
        "interface_name": Refusal("only the newest engines know it", "drop it"),
        "link_local_ips": Refusal("few network drivers know them", "drop it"),
        "driver_opts": Refusal("few network drivers know them", "use `driver_opts` of the top-level network"),
    },
    "Network": {
        "enable_ipv4": Refusal("only the newest engines know it", "drop it"),
    },
    "Config": {
        "external": Refusal("what a swarm keeps is outside the plan", "use `content`, `file` or `environment`"),
        "template_driver": _SWARM,
        "name": _SWARM,
        "labels": _SWARM,
    },
    "Secret": {
        "external": Refusal("a swarm's secret cannot be proved to be there", "use `env`, `file` or `command`"),
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
