"""Keys that a service of a Swarm cannot have: each with the reason and what to do instead."""

from collections.abc import Iterator
from typing import NamedTuple

from promoter.config.spec import Shape
from promoter.pipeline.compose.service import Attachment, Service

_REMOVE = "remove it"
_UNKNOWN = "Swarm has no such setting"
_NODE = "a task gets nothing of the node that it runs on"
_CPU = "limit it with `deploy: {resources: {limits: {cpus: …}}}`"
_MEMORY = "limit it with `deploy: {resources: {limits: {memory: …}}}`"
_ENGINE = "set it in the configuration of the nodes' engines"
_ADDRESS = "Swarm gives its tasks their addresses"


class Refused(NamedTuple):
    key: str
    why: str
    instead: str


_SERVICE = (
    Refused("container_name", "Swarm names the containers of tasks", _REMOVE),
    Refused("domainname", _UNKNOWN, "write the whole name in `hostname`"),
    Refused("network_mode", "tasks join overlay networks", "name them in `networks`"),
    Refused("devices", _NODE, _REMOVE),
    Refused("device_cgroup_rules", _NODE, _REMOVE),
    Refused("gpus", _NODE, _REMOVE),
    Refused("privileged", _UNKNOWN, "grant what it needs with `cap_add`"),
    Refused("userns_mode", _UNKNOWN, _REMOVE),
    Refused("ipc", _UNKNOWN, _REMOVE),
    Refused("pid", _UNKNOWN, _REMOVE),
    Refused("uts", _UNKNOWN, _REMOVE),
    Refused("cgroup", _UNKNOWN, _REMOVE),
    Refused("cgroup_parent", _UNKNOWN, _ENGINE),
    Refused("runtime", _UNKNOWN, _ENGINE),
    Refused("volumes_from", _UNKNOWN, "name the volumes in `volumes`"),
    Refused("external_links", _UNKNOWN, "join a network of the other service with `networks`"),
    Refused("storage_opt", _UNKNOWN, _ENGINE),
    Refused("shm_size", _UNKNOWN, 'mount a tmpfs: `tmpfs: ["/dev/shm:size=64m"]`'),
    Refused("security_opt", _UNKNOWN, _ENGINE),
    Refused("mac_address", _ADDRESS, _REMOVE),
    Refused("annotations", _UNKNOWN, "use `labels`"),
    Refused("blkio_config", _UNKNOWN, _REMOVE),
    Refused("cpuset", _UNKNOWN, _CPU),
    Refused("cpu_shares", _UNKNOWN, _CPU),
    Refused("cpu_period", _UNKNOWN, _CPU),
    Refused("cpu_quota", _UNKNOWN, _CPU),
    Refused("cpu_rt_period", _UNKNOWN, _CPU),
    Refused("cpu_rt_runtime", _UNKNOWN, _CPU),
    Refused("mem_swappiness", _UNKNOWN, _MEMORY),
    Refused("memswap_limit", _UNKNOWN, _MEMORY),
    Refused("oom_kill_disable", _UNKNOWN, _MEMORY),
    Refused("oom_score_adj", _UNKNOWN, _MEMORY),
    Refused("trial", "Swarm itself starts and replaces the tasks", "use `deploy: {update_config: {order: start-first}}`"),
)
_ATTACHMENT = (
    Refused("ipv4_address", _ADDRESS, _REMOVE),
    Refused("ipv6_address", _ADDRESS, _REMOVE),
    Refused("mac_address", _ADDRESS, _REMOVE),
    Refused("link_local_ips", _ADDRESS, _REMOVE),
    Refused("gw_priority", _UNKNOWN, _REMOVE),
    Refused("interface_name", _UNKNOWN, _REMOVE),
    Refused("priority", _UNKNOWN, _REMOVE),
)


def refused_keys(service: Service) -> Iterator[Refused]:
    """Yield the keys of a service that a Swarm service cannot have."""
    return _set(service, _SERVICE)


def refused_attachment(attachment: Attachment) -> Iterator[Refused]:
    """Yield the keys of the attachment to a network that a Swarm service cannot have."""
    return _set(attachment, _ATTACHMENT)


def _set(shape: Shape, table: tuple[Refused, ...]) -> Iterator[Refused]:
    fields = type(shape).model_fields
    return (one for one in table if getattr(shape, one.key) != fields[one.key].get_default(call_default_factory=True))
