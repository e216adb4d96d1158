"""The part of a container's JSON that touches the host: ports, mounts, limits, rights, name spaces. Pure."""

from collections.abc import Iterator
from typing import Any

from promoter.pipeline.compose.service import Mount, Service
from promoter.promotion.ports.engine import ContainerSpec

Json = dict[str, Any]
_LOOPBACK = "127.0.0.1"


def host_config(spec: ContainerSpec) -> Json:
    """`HostConfig`: only what is configured; the rest is the engine's own default."""
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
    """Every container port of `ports` and `expose`, as `8080/tcp`, each once."""
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
    """A bind whose host folder may be made (engines before 23 do that for the short form only), or what is to be relabelled."""
    plain = ":" not in f"{mount.source}{mount.target}"
    return mount.source is not None and plain and ((mount.type == "bind" and mount.create_host_path) or mount.selinux is not None)


def _inherit(mount: Mount, spec: ContainerSpec) -> Mount:
    """An anonymous volume of the service keeps the data of the container before."""
    name = spec.inherited.get(mount.target)
    return mount.model_copy(update={"source": name}) if name and mount.type == "volume" and mount.source is None else mount


def _inherited_volumes(spec: ContainerSpec) -> list[Json]:
    """Volumes for paths that only the image declares: what the service mounts there itself wins."""
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
        options = {"Propagation": mount.propagation, "CreateMountpoint": mount.create_host_path or None}
    elif mount.type == "volume":
        options = {"NoCopy": mount.nocopy or None, "Subpath": mount.subpath}
    else:
        options = {"SizeBytes": mount.tmpfs_size, "Mode": mount.tmpfs_mode}
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        body[f"{mount.type.capitalize()}Options"] = options
    return body


def _tmpfs(entry: str) -> tuple[str, str]:
    path, _, options = entry.partition(":")
    return path, options


_CONDITIONS = {"none": "no", "any": "always"}


def _restart(service: Service) -> Json | None:
    """`deploy.restart_policy` wins over `restart`, as in Compose."""
    policy = service.deploy.restart_policy
    if policy is not None:
        attempts = {"MaximumRetryCount": policy.max_attempts} if policy.condition == "on-failure" and policy.max_attempts else {}
        return {"Name": _CONDITIONS.get(policy.condition, policy.condition), **attempts}
    if service.restart is None:
        return None
    name, _, count = service.restart.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count)} if count else {"Name": name}


def _names(service: Service) -> Json:
    """Networks' side of the host: resolvers, hosts and name spaces."""
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
        "Devices": [
            {"PathOnHost": d.source, "PathInContainer": d.target, "CgroupPermissions": d.permissions} for d in service.devices
        ],
    }


def _limits(service: Service) -> Json:
    """`deploy.resources` wins over the older keys beside it, as in Compose."""
    limits, reserved = service.deploy.resources.limits, service.deploy.resources.reservations
    cpus = limits.cpus if limits.cpus is not None else service.cpus
    return {
        "Memory": limits.memory if limits.memory is not None else service.mem_limit,
        "MemoryReservation": reserved.memory if reserved.memory is not None else service.mem_reservation,
        "MemorySwap": service.memswap_limit,
        "NanoCpus": None if cpus is None else round(cpus * 1_000_000_000),
        "CpuShares": service.cpu_shares,
        "CpusetCpus": service.cpuset,
        "PidsLimit": limits.pids if limits.pids is not None else service.pids_limit,
        "OomScoreAdj": service.oom_score_adj,
        "ShmSize": service.shm_size,
        "Ulimits": [{"Name": name, "Soft": u.soft, "Hard": u.hard} for name, u in service.ulimits.items()],
    }
