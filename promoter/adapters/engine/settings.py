"""The settings of a container in Compose's words, from the engine's JSON. Pure.

The body of a create request and the answer of an inspection have the same form. Both become a flat mapping of paths to
values, without what is not set, so that they can be compared.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from promoter.model.diff import joined
from promoter.model.labels import LABEL
from promoter.model.pattern import pattern

Json = Mapping[str, Any]
Settings = dict[str, object]
_WORDS = """
    Init=init NetworkMode=network_mode ExtraHosts=extra_hosts Dns=dns DnsSearch=dns_search DnsOptions=dns_opt PidMode=pid
    IpcMode=ipc UTSMode=uts UsernsMode=userns_mode CgroupParent=cgroup_parent VolumesFrom=volumes_from CgroupnsMode=cgroup
    Runtime=runtime Annotations=annotations CapAdd=cap_add CapDrop=cap_drop Privileged=privileged ReadonlyRootfs=read_only
    SecurityOpt=security_opt GroupAdd=group_add Sysctls=sysctls StorageOpt=storage_opt
    DeviceCgroupRules=device_cgroup_rules DeviceRequests=gpus Devices=devices Memory=mem_limit
    MemoryReservation=mem_reservation MemorySwap=memswap_limit NanoCpus=nano_cpus CpuShares=cpu_shares CpusetCpus=cpuset
    CpuPeriod=cpu_period CpuQuota=cpu_quota CpuRealtimePeriod=cpu_rt_period CpuRealtimeRuntime=cpu_rt_runtime
    MemorySwappiness=mem_swappiness OomKillDisable=oom_kill_disable PidsLimit=pids_limit OomScoreAdj=oom_score_adj
    ShmSize=shm_size Ulimits=ulimits Tmpfs=tmpfs AutoRemove=auto_remove PublishAllPorts=publish_all_ports
"""
_HOST: Mapping[str, str] = dict(pair.split("=", 1) for pair in _WORDS.split())
"""Keys of `HostConfig`, each with the word for it in Compose."""
_CONFIG: Mapping[str, str] = {
    "Cmd": "command",
    "Entrypoint": "entrypoint",
    "User": "user",
    "WorkingDir": "working_dir",
    "Hostname": "hostname",
    "Domainname": "domainname",
    "StopSignal": "stop_signal",
    "StopTimeout": "stop_grace_period",
    "Tty": "tty",
    "OpenStdin": "stdin_open",
}
_UNSET: Mapping[str, tuple[object, ...]] = {
    "network_mode": ("default", "bridge"),
    "pids_limit": (-1,),
    "mem_swappiness": (-1,),
    "stop_signal": ("SIGTERM", "15"),
    "working_dir": ("/",),
    "ipc": ("private", "shareable"),
    "cgroup": ("private", "host"),
    "security_opt": (["label=disable"],),
}
"""Values that mean the same as no value: the engine fills them in itself."""
_UNORDERED = frozenset({"CapAdd", "CapDrop", "SecurityOpt", "GroupAdd", "ExtraHosts", "DeviceCgroupRules", "VolumesFrom"})
_OBJECTS = frozenset({"Devices", "Ulimits", "DeviceRequests"})
_SHARED = ("container:", "service:")
_ANONYMOUS = pattern("[0-9a-f]{64}")


def flat(config: Json, host: Json, mounts: Mapping[str, Json], networks: Json) -> Settings:
    """Return the settings by path. `mounts` are by their target, `networks` are the settings of each endpoint by name."""
    values: Settings = {word: config.get(key) for key, word in _CONFIG.items()}
    values |= {word: _host(key, host.get(key)) for key, word in _HOST.items()}
    values |= {"ports": ports(host), "restart": _restart(host), "logging": _logging(host), "healthcheck": _healthcheck(config)}
    values |= {joined("environment", name): value for name, value in environment(config).items()}
    values |= {joined("labels", name): value for name, value in _labels(config)}
    values |= {joined("volumes", target): dict(mount) for target, mount in mounts.items()}
    values |= {joined("networks", name): attachment(endpoint or {}) for name, endpoint in networks.items()}
    return {path: value for path, value in values.items() if not _is_unset(path, value)}


def merged(config: Json, image: Json) -> dict[str, Any]:
    """Return the configuration that the engine makes of a request and of the image's own, by the engine's rules."""
    made = {**image, **{key: value for key, value in config.items() if value is not None}}
    if config.get("Entrypoint"):  # the image's command belongs to the image's entrypoint
        made["Cmd"] = config.get("Cmd")
    made["Env"] = [f"{name}={value}" for name, value in {**environment(image), **environment(config)}.items()]
    made["Labels"] = {**(image.get("Labels") or {}), **(config.get("Labels") or {})}
    own, theirs = config.get("Healthcheck") or {}, image.get("Healthcheck") or {}
    made["Healthcheck"] = {**theirs, **{key: value for key, value in own.items() if value}}
    return made


def environment(config: Json) -> dict[str, str]:
    """Return the environment variables by name; of one that is set twice the last."""
    pairs = (entry.partition("=") for entry in config.get("Env") or ())
    return {name: value for name, sign, value in pairs if sign}


def ports(host: Json) -> list[str]:
    """Return the published ports, sorted: `127.0.0.1:8080:80/tcp`. A port that the engine chooses has no number."""
    return sorted(
        f"{one.get('HostIp') or ''}:{_chosen(one.get('HostPort'))}:{port}"
        for port, several in (host.get("PortBindings") or {}).items()
        for one in several or ()
    )


def attachment(endpoint: Json) -> dict[str, object]:
    """Return a container's own settings on a network: its aliases, and its fixed addresses."""
    fixed = endpoint.get("IPAMConfig") or {}
    addresses = {"ipv4_address": fixed.get("IPv4Address"), "ipv6_address": fixed.get("IPv6Address")}
    return {
        "aliases": sorted(endpoint.get("Aliases") or ()),
        **{name: address for name, address in addresses.items() if address},
    }


def mounts_of(document: Json) -> dict[str, Json]:
    """Return the mounts of an inspected container, by target. Memory mounts of `tmpfs` are a setting of their own."""
    memory = (document.get("HostConfig") or {}).get("Tmpfs") or {}
    mounts = (mount for mount in document.get("Mounts") or () if mount["Destination"] not in memory)
    return {mount["Destination"]: _mount(mount["Type"], _source(mount), read_only=not mount.get("RW", True)) for mount in mounts}


def mounts_in(host: Json, image: Json) -> dict[str, Json]:
    """Return the mounts of a create request, by target, and the volumes that the image declares."""
    found: dict[str, Json] = {target: _mount("volume", None, read_only=False) for target in image.get("Volumes") or {}}
    for target in host.get("Tmpfs") or {}:
        found.pop(target, None)
    for text in host.get("Binds") or ():
        source, target, *rest = text.split(":")
        kind = "bind" if source.startswith("/") else "volume"
        found[target] = _mount(kind, source, read_only="ro" in ",".join(rest).split(","))
    for mount in host.get("Mounts") or ():
        found[mount["Target"]] = _mount(mount["Type"], mount.get("Source"), read_only=bool(mount.get("ReadOnly")))
    return found


def _mount(kind: str, source: str | None, *, read_only: bool) -> dict[str, object]:
    return {"type": kind, "source": source, "read_only": read_only}


def _source(mount: Json) -> str | None:
    """Return the path on the host or the name of a volume; None for a volume that the engine named itself."""
    if mount["Type"] == "volume":
        name = str(mount.get("Name") or "")
        return None if _ANONYMOUS.fullmatch(name) else name
    return mount.get("Source") or None


def _host(key: str, value: object) -> object:
    if isinstance(value, str) and value.startswith(_SHARED):
        return None  # the engine may show an id in place of a name
    if key in {"CapAdd", "CapDrop"} and isinstance(value, list):
        return sorted(str(name).upper().removeprefix("CAP_") for name in value)
    if key in _UNORDERED and isinstance(value, list):
        return sorted(map(str, value))
    if key in _OBJECTS and isinstance(value, list):
        return sorted((dict(sorted(one.items())) for one in value), key=str)
    return value


def _restart(host: Json) -> str | None:
    """Return the restart policy. A container that was stopped once has `unless-stopped` in place of `always`."""
    policy = host.get("RestartPolicy") or {}
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    if name == "no":
        return None
    return "always" if name == "unless-stopped" else f"{name}:{count}" if count else str(name)


def _logging(host: Json) -> dict[str, object] | None:
    config = host.get("LogConfig") or {}
    return {"driver": config.get("Type") or "", "options": config.get("Config") or {}} if config else None


def _healthcheck(config: Json) -> dict[str, object]:
    """Return the health check without its start interval, which engines before version 25 do not know."""
    check = config.get("Healthcheck") or {}
    if list(check.get("Test") or ()) == ["NONE"]:
        return {"Test": ["NONE"]}
    return {key: value for key, value in sorted(check.items()) if value and key != "StartInterval"}


def _labels(config: Json) -> Iterator[tuple[str, str]]:
    """Yield the labels except promoter's own, which name the promotion that created the container."""
    return ((name, value) for name, value in (config.get("Labels") or {}).items() if not name.startswith(f"{LABEL}."))


def _chosen(port: object) -> str:
    return "" if port in (None, "", "0") else str(port)


def _is_unset(path: str, value: object) -> bool:
    if path.startswith(("environment.", "labels.")):
        return value is None
    return value in (None, "", 0, False, [], {}) or value in _UNSET.get(path, ())
