"""Rules for environments with a front: what the front or two containers at the same time would make impossible."""

from promoter.pipeline.compose.service import Service
from promoter.pipeline.engine_names import service_spot
from promoter.pipeline.file_text import FileText
from promoter.pipeline.front import is_behind
from promoter.pipeline.model import Strategy
from promoter.pipeline.resolver import Resolved


def check_front(text: FileText, resolved: Resolved) -> None:
    """Report what the environment's strategy cannot carry out, and remark on services that are replaced with a gap."""
    environment, spot = resolved.environment, resolved.text.spot
    if environment.front is None:
        if (spot / "front").exists:
            message = f"`front` has no effect with strategy {environment.strategy}"
            resolved.filler.complain(spot / "front", message, "remove it, or use `strategy: start-first`", on_key=True)
        return
    at = spot / "strategy"
    if not any(is_behind(service) for service in environment.services.values()):
        message = f"{environment.strategy} needs a service that publishes a port, and no service does"
        resolved.filler.complain(at, message, "publish a port of the service that answers requests, or use recreate")
    if environment.front.health is not None and environment.front.mode == "tcp":
        message = "`health` has no effect with `mode: tcp`: the front reads no requests then"
        resolved.filler.complain(spot / "front" / "health", message, "remove it, or use `mode: http`")
    for name, service in environment.services.items():
        if is_behind(service):
            _check_behind(text, resolved, name, service)
        elif service.network_mode == "host":
            message = f"with {environment.strategy} the requests go through a front, but `network_mode: host` goes around it"
            _complain(text, resolved, name, "network_mode", message, "remove it and publish the ports, or use recreate")
        elif service.replicas:
            remark = f"service `{name}` publishes no port, so {environment.strategy} replaces it as recreate does: it stops first"
            text.complaints.remark(at, remark, environment=environment.name)


def _check_behind(text: FileText, resolved: Resolved, name: str, service: Service) -> None:
    strategy = resolved.environment.strategy
    why = "the new container is created beside the old one"
    if service.container_name is not None:
        message = f"with {strategy} {why}, but only one container can have the name {service.container_name}"
        _complain(text, resolved, name, "container_name", message, "remove it")
    other = next((port for port in service.ports if port.protocol != "tcp"), None)
    if other is not None:
        message = f"the front of {strategy} forwards TCP only, but port {other.target} is {other.protocol}"
        _complain(text, resolved, name, "ports", message, "publish this port from a service of its own, or use recreate")
    fixed = [attachment for attachment in service.networks.values() if attachment.ipv4_address or attachment.ipv6_address]
    if fixed:
        _complain(text, resolved, name, "networks", f"with {strategy} {why}, so it cannot have a fixed address", "remove it")
    if strategy is not Strategy.START_FIRST:
        return
    volumes = resolved.environment.volumes
    for mount in service.volumes:
        if mount.source is not None and mount.type == "volume" and mount.source in volumes and volumes[mount.source].exclusive:
            message = f"with start-first both containers use the volume at {mount.target}, which is `exclusive: true`"
            _complain(text, resolved, name, "volumes", message, "use `strategy: hold`: the old container stops first")


def _complain(text: FileText, resolved: Resolved, name: str, key: str, message: str, hint: str) -> None:
    resolved.filler.complain(service_spot(text, resolved.text, name, key) / key, message, hint)
