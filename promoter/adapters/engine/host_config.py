"""The part of a container's JSON that affects the host: ports, mounts, limits, rights and namespaces. Pure."""

from collections.abc import Iterator
from typing import Any

from promoter.pipeline.compose.host_resources import ALL_DEVICES
from promoter.pipeline.compose.service import Mount, Service
from promoter.promotion.ports.container import ContainerSpec

Json = dict[str, Any]
_LOOPBACK = "127.0.0.1"


def host_config(spec: ContainerSpec) -> Json:
    """Return `HostConfig` with only what is configured; the engine's defaults apply to the rest."""
    service = spec.service
    config = {
        "Init": service.init,
        "PortBindings": _bindings(spec),
        "Binds": [_bind(mount) for mount in service.volumes if _by_bind(mount)],
        "Mounts": [
            *(_mount(_inherit(mount, spec)) for mount in service.volumes if not _by_bind(mount)),
            *_inherited_volumes(spec),
        ],
        "Tmpfs": dict(_tmpfs(entry) for entry in service.tmpfs),
        "RestartPolicy": _restart(service),
        "LogConfig": {"Type": service.logging.driver or "", "Config": service.logging.options} if service.logging else None,
        **_names(service),
        **_rights(service),
        **_limits(service),
    }
    return {name: value for name, value in config.items() if value not in (None, [], {})}


def exposed(service: Service) -> list[str]:
    """Return every container port of `ports` and `expose`, each once, in the form `8080/tcp`."""
    named = [f"{port.target}/{port.protocol}" for port in service.ports]
    return list(dict.fromkeys([*named, *(port for entry in service.expose for port in _expose(entry))]))


def _expose(entry: str) -> Iterator[str]:
    numbers, _, protocol = entry.partition("/")
    first, _, last = numbers.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield f"{number}/{protocol or 'tcp'}"


def _bindings(spec: ContainerSpec) -> Json:
    if spec.ephemeral_ports:
        return {port: [{"HostIp": _LOOPBACK, "HostPort": ""}] for port in exposed(spec.service) if port.endswith("/tcp")}
    bindings: dict[str, list[Json]] = {}
    for port in spec.service.ports if spec.publish else ():
        binding = {"HostIp": port.host_ip or "", "HostPort": str(port.published or "")}
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(binding)
    return bindings


def _by_bind(mount: Mount) -> bool:
    """Return whether a mount must be written as a bind string instead of as a mount.

    That is the case if it needs a new label (`selinux`), and if the engine may create the folder on the host: engines before
    version 23 do that for bind strings only.
    """
    plain = ":" not in f"{mount.source}{mount.target}" and mount.recursive is None
    return mount.source is not None and plain and ((mount.type == "bind" and mount.create_host_path) or mount.selinux is not None)


def _inherit(mount: Mount, spec: ContainerSpec) -> Mount:
    """Return an anonymous volume with the name of the previous container's volume, so that its data is kept; else the mount."""
    name = spec.inherited.get(mount.target)
    return mount.model_copy(update={"source": name}) if name and mount.type == "volume" and mount.source is None else mount


def _inherited_volumes(spec: ContainerSpec) -> list[Json]:
    """Return the inherited volumes of paths that only the image declares. A mount of the service at the same path wins."""
    mounted = {mount.target for mount in spec.service.volumes} | {entry.partition(":")[0] for entry in spec.service.tmpfs}
    kept = {path: name for path, name in spec.inherited.items() if path not in mounted}
    return [{"Type": "volume", "Source": name, "Target": path} for path, name in kept.items()]


def _bind(mount: Mount) -> str:
    flags = ("ro" if mount.read_only else "", mount.propagation or "", mount.selinux or "", "nocopy" if mount.nocopy else "")
    options = [word for word in flags if word]
    return ":".join([str(mount.source), mount.target, *([",".join(options)] if options else [])])


def _mount(mount: Mount) -> Json:
    body: Json = {"Type": mount.type, "Target": mount.target}
    if mount.source is not None:
        body["Source"] = mount.source
    if mount.read_only:
        body["ReadOnly"] = True
    options: Json = {}
    if mount.type == "bind":
        options = {"Propagation": mount.propagation, "CreateMountpoint": mount.create_host_path or None, **_recursion(mount)}
    elif mount.type == "volume":
        options = {"NoCopy": mount.nocopy or None, "Subpath": mount.subpath, "Labels": dict(mount.labels) or None}
    else:
        options = {"SizeBytes": mount.tmpfs_size, "Mode": mount.tmpfs_mode}
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        body[f"{mount.type.capitalize()}Options"] = options
    return body


_RECURSION = {"disabled": "NonRecursive", "writable": "ReadOnlyNonRecursive", "readonly": "ReadOnlyForceRecursive"}


def _recursion(mount: Mount) -> Json:
    """Return how mounts below the source of a bind are treated; the engine's default is `enabled`."""
    option = _RECURSION.get(mount.recursive or "")
    return {option: True} if option else {}


def _tmpfs(entry: str) -> tuple[str, str]:
    path, _, options = entry.partition(":")
    return path, options


_CONDITIONS = {"none": "no", "any": "always"}


def _restart(service: Service) -> Json | None:
    """Return the restart policy. `deploy.restart_policy` wins over `restart`, as in Compose."""
    policy = service.deploy.restart_policy
    if policy is not None:
        attempts = {"MaximumRetryCount": policy.max_attempts} if policy.condition == "on-failure" and policy.max_attempts else {}
        return {"Name": _CONDITIONS.get(policy.condition, policy.condition), **attempts}
    if service.restart is None:
        return None
    name, _, count = service.restart.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count)} if count else {"Name": name}


def _names(service: Service) -> Json:
    """Return the settings for names: network mode, hosts, DNS servers and namespaces."""
    first = next(iter(service.networks), None)
    return {
        "NetworkMode": service.network_mode or first,
        "ExtraHosts": [f"{host}:{address}" for host, addresses in service.extra_hosts.items() for address in addresses],
        "Dns": list(service.dns),
        "DnsSearch": list(service.dns_search),
        "DnsOptions": list(service.dns_opt),
        "PidMode": service.pid,
        "IpcMode": service.ipc,
        "UTSMode": service.uts,
        "UsernsMode": service.userns_mode,
        "CgroupParent": service.cgroup_parent,
        "VolumesFrom": list(service.volumes_from),
        "CgroupnsMode": service.cgroup,
        "Runtime": service.runtime,
    }


def _rights(service: Service) -> Json:
    return {
        "Annotations": dict(service.annotations),
        "CapAdd": list(service.cap_add),
        "CapDrop": list(service.cap_drop),
        "Privileged": service.privileged or None,
        "ReadonlyRootfs": service.read_only or None,
        "SecurityOpt": [option if "=" in option else option.replace(":", "=", 1) for option in service.security_opt],
        "GroupAdd": list(service.group_add),
        "Sysctls": dict(service.sysctls),
        "StorageOpt": dict(service.storage_opt),
        "DeviceCgroupRules": list(service.device_cgroup_rules),
        "DeviceRequests": _device_requests(service),
        "Devices": [
            {"PathOnHost": d.source, "PathInContainer": d.target, "CgroupPermissions": d.permissions} for d in service.devices
        ],
    }


def _device_requests(service: Service) -> list[Json]:
    """Return the requests for devices of a driver. Without a count and ids, a request is for every device."""
    gpus = [one.model_copy(update={"capabilities": ("gpu", *one.capabilities)}) for one in service.gpus]
    return [
        {
            "Driver": one.driver or "",
            "Count": 0 if one.device_ids else ALL_DEVICES if one.count is None else one.count,
            "DeviceIDs": list(one.device_ids),
            "Capabilities": [list(dict.fromkeys(one.capabilities))],
            "Options": dict(one.options),
        }
        for one in (*gpus, *service.deploy.resources.reservations.devices)
    ]


def _limits(service: Service) -> Json:
    """Return the resource limits. `deploy.resources` wins over the older keys beside it, as in Compose."""
    limits, reserved = service.deploy.resources.limits, service.deploy.resources.reservations
    cpus = limits.cpus if limits.cpus is not None else service.cpus
    return {
        "Memory": limits.memory if limits.memory is not None else service.mem_limit,
        "MemoryReservation": reserved.memory if reserved.memory is not None else service.mem_reservation,
        "MemorySwap": service.memswap_limit,
        "NanoCpus": None if cpus is None else round(cpus * 1_000_000_000),
        "CpuShares": service.cpu_shares,
        "CpusetCpus": service.cpuset,
        "CpuPeriod": service.cpu_period,
        "CpuQuota": service.cpu_quota,
        "CpuRealtimePeriod": service.cpu_rt_period,
        "CpuRealtimeRuntime": service.cpu_rt_runtime,
        "MemorySwappiness": service.mem_swappiness,
        "OomKillDisable": service.oom_kill_disable or None,
        **_block_devices(service),
        "PidsLimit": limits.pids if limits.pids is not None else service.pids_limit,
        "OomScoreAdj": service.oom_score_adj,
        "ShmSize": service.shm_size,
        "Ulimits": [{"Name": name, "Soft": u.soft, "Hard": u.hard} for name, u in service.ulimits.items()],
    }


def _block_devices(service: Service) -> Json:
    blkio = service.blkio_config
    if blkio is None:
        return {}
    throttles = {"ReadBps": blkio.device_read_bps, "WriteBps": blkio.device_write_bps}
    throttles |= {"ReadIOps": blkio.device_read_iops, "WriteIOps": blkio.device_write_iops}
    return {
        "BlkioWeight": blkio.weight,
        "BlkioWeightDevice": [{"Path": one.path, "Weight": one.weight} for one in blkio.weight_device],
        **{f"BlkioDevice{name}": [{"Path": one.path, "Rate": one.rate} for one in many] for name, many in throttles.items()},
    }
