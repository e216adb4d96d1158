"""Convert a ContainerSpec to the JSON of `POST /containers/create`. Pure: needs no engine.

Every field of a Service about running is used; `ELSEWHERE` lists the others and what handles them. `demands` reports
what an old engine would ignore silently.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from promoter.adapters.engine.host_config import exposed, host_config
from promoter.model.secrets import OPENING
from promoter.pipeline.compose.service import Attachment, Healthcheck
from promoter.promotion.ports.container import ContainerSpec

Json = dict[str, Any]

HANDLED_BY_OTHERS = {
    "image": "the spec's own image, by digest",
    "build": "the builder",
    "container_name": "the spec's own name",
    "secrets": "the spec's files",
    "configs": "the spec's files",
    "depends_on": "the order of a plan",
    "platform": "a parameter of the request",
    "external_links": "the settings of each network",
    "steady": "the proof of health",
    "trial": "the strategy",
    "protected": "the strategy",
}


def create_body(spec: ContainerSpec, reveal: Callable[[str], str], *, every_network: bool = True) -> Json:
    """Return the body of the request, with secrets revealed. `every_network` False leaves all but the first for `connect`."""
    service = spec.service
    body = without_none(
        Image=str(spec.image),
        Cmd=list(service.command) if service.command is not None else None,
        Entrypoint=list(service.entrypoint) if service.entrypoint is not None else None,
        Env=[f"{name}={value}" for name, value in service.environment.items()] or None,
        Labels={**service.labels, **spec.labels},
        ExposedPorts={port: {} for port in exposed(service)} or None,
        User=service.user,
        WorkingDir=service.working_dir,
        Hostname=service.hostname,
        Domainname=service.domainname,
        Healthcheck=healthcheck(service.healthcheck) if service.healthcheck else None,
        StopSignal=service.stop_signal,
        StopTimeout=_seconds(service.stop_grace_period),
        Tty=service.tty or None,
        OpenStdin=service.stdin_open or None,
        MacAddress=next((a.mac_address for a in service.networks.values()), service.mac_address),
    )
    body["HostConfig"] = host_config(spec)
    if service.networks:
        names = list(service.networks) if every_network else list(service.networks)[:1]
        endpoints = {name: endpoint(service.networks[name], service.external_links) for name in names}
        body["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    return revealed_body(body, reveal)


_INTERFACE = "com.docker.network.endpoint.ifname"


def endpoint(attachment: Attachment, links: Sequence[str] = ()) -> Json:
    """Return the settings of a container on one network, for create and for connect. `links` are names of other containers."""
    addresses = without_none(
        IPv4Address=attachment.ipv4_address,
        IPv6Address=attachment.ipv6_address,
        LinkLocalIPs=list(attachment.link_local_ips) or None,
    )
    interface = {_INTERFACE: attachment.interface_name} if attachment.interface_name else {}
    return without_none(
        Aliases=list(attachment.aliases) or None,
        Links=[link if ":" in link else f"{link}:{link}" for link in links] or None,
        IPAMConfig=addresses or None,
        MacAddress=attachment.mac_address,
        DriverOpts={**attachment.driver_opts, **interface} or None,
        GwPriority=attachment.gw_priority,
    )


def demands(spec: ContainerSpec, api: tuple[int, int]) -> str | None:
    """Return what an engine with this API would ignore silently; None if nothing."""
    service, networks = spec.service, list(spec.service.networks.values())
    used = {
        (1, 43, "annotations need Docker Engine 24"): bool(service.annotations),
        (1, 45, "a volume's subpath needs Docker Engine 26"): any(mount.subpath for mount in service.volumes),
        (1, 44, "a mac_address on a second network needs Docker Engine 25"): any(a.mac_address for a in networks[1:]),
        (1, 44, "`recursive` of a bind needs Docker Engine 25"): any(
            mount.recursive in ("writable", "readonly") for mount in service.volumes
        ),
        (1, 48, "gw_priority needs Docker Engine 28"): any(a.gw_priority is not None for a in networks),
        (1, 49, "interface_name needs Docker Engine 28.1"): any(a.interface_name for a in networks),
    }
    newer = (f"{what} or newer" for (major, minor, what), is_used in used.items() if is_used and api < (major, minor))
    return next(newer, None)


def unplaceable(spec: ContainerSpec) -> str | None:
    """Return why the spec's files cannot be put into the container, or None."""
    service = spec.service
    if spec.files and service.read_only:
        return "secrets and configs cannot be placed in a container with `read_only: true`"
    memory = [*(t.partition(":")[0] for t in service.tmpfs), *(m.target for m in service.volumes if m.type == "tmpfs")]
    for file in spec.files:
        if hiding := next((m for m in memory if file.path.startswith(m.rstrip("/") + "/")), None):
            return f"{file.path} cannot be placed under {hiding}, which is a tmpfs and empty at every start"
    return None


def healthcheck(check: Healthcheck) -> Json:
    """Return a health check as engines and swarms have it."""
    if check.disable or check.test == ("NONE",):
        return {"Test": ["NONE"]}
    return without_none(
        Test=list(check.test) if check.test else None,
        Interval=nanoseconds(check.interval),
        Timeout=nanoseconds(check.timeout),
        Retries=check.retries,
        StartPeriod=nanoseconds(check.start_period),
        StartInterval=nanoseconds(check.start_interval),
    )


def nanoseconds(span: timedelta | None) -> int | None:
    """Return a duration in whole microseconds, as nanoseconds."""
    return None if span is None else round(span.total_seconds() * 1_000_000) * 1_000


def _seconds(span: timedelta | None) -> int | None:
    """Return whole seconds, rounded up, so that half a second does not become zero."""
    return None if span is None else -int(-span.total_seconds() // 1)


def without_none(**values: object) -> Json:
    """Return what is set."""
    return {name: value for name, value in values.items() if value is not None}


def revealed_body(body: Json, reveal: Callable[[str], str]) -> Json:
    """Return the body of a request with the handles of secrets replaced."""
    return {name: _revealed(value, reveal) for name, value in body.items()}


def _revealed(value: object, reveal: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return reveal(value) if OPENING in value else value
    if isinstance(value, Mapping):
        return {_revealed(name, reveal): _revealed(inner, reveal) for name, inner in value.items()}
    if isinstance(value, list):
        return [_revealed(inner, reveal) for inner in value]
    return value
