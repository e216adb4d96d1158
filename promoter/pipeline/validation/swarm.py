"""Rules for environments on a Docker Swarm: what Swarm cannot carry out is refused before a run."""

from promoter.model.labels import Namespace, once_name, slots
from promoter.model.pattern import pattern
from promoter.pipeline.compose.service import Service
from promoter.pipeline.compose.tmpfs import tmpfs_mount
from promoter.pipeline.engine_names import key_spot
from promoter.pipeline.file_text import FileText
from promoter.pipeline.networks_volumes import OVERLAY, Names
from promoter.pipeline.placement import is_swarm_constraint
from promoter.pipeline.problems import Spot
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.validation.spots import port_spot, relative_sources
from promoter.pipeline.validation.swarm_keys import refused_attachment, refused_keys

LONGEST = 63
"""The most characters of the name of a service or network: it is a part of a DNS name."""
_NAME = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")


def check_swarm(text: FileText, resolved: Resolved) -> None:
    """Report what the environment asks for and a Swarm cannot do."""
    _check_engine(resolved)
    rollout = resolved.text.spot / "rollout"
    if rollout.exists:
        message = "`rollout` has no effect with strategy swarm: Swarm chooses the nodes"
        resolved.filler.complain(rollout, message, "remove it, or use `deploy: {update_config: …}` of services", on_key=True)
    for name, service in resolved.environment.services.items():
        rules = _Rules(text, resolved, name, service)
        rules.keys()
        rules.attachments()
        rules.ports()
        rules.mounts()
        rules.exclusive()
        rules.replicas()
        rules.updates()
        rules.placement()
        rules.dependencies()
    _check_networks(text, resolved)
    _check_names(text, resolved)


def _check_engine(resolved: Resolved) -> None:
    """Report managers with what only hosts have, and those that are named twice."""
    spot, written = resolved.text.spot / "engine", resolved.text.raw.get("engine")
    for index, one in enumerate(written if isinstance(written, list) else [written]):
        at = spot / index if isinstance(written, list) else spot
        for key in ("name", "labels"):
            if isinstance(one, dict) and key in one:
                message = f"with strategy swarm an entry of `engine` is a manager and has no `{key}`"
                hint = "write only the address; nodes of the swarm have their own names and labels"
                resolved.filler.complain(at / key, message, hint, on_key=True)
    managers = resolved.environment.hosts[0].managers
    for index, address in enumerate(managers):
        if (first := managers.index(address)) != index:
            message = f"manager {index + 1} has the same address as manager {first + 1}: {address}"
            resolved.filler.complain(spot / index, message, "remove one of them")


def _check_networks(text: FileText, resolved: Resolved) -> None:
    names = Names(f"{text.head.name}-{resolved.environment.name}")
    forms = text.parts.networks.read(resolved.filler)
    for name in ("default", *(one for one in forms if one != "default")):
        network = resolved.environment.networks.get(names.network(name, forms.get(name)).name)
        if network is None or network.external:
            continue
        spot = text.origin.holder("networks", name).spot("networks", name)
        if network.driver != OVERLAY:
            message = f"the driver of network `{name}` is {network.driver}, but services of a swarm need {OVERLAY}"
            resolved.filler.complain(spot / "driver", message, f"remove `driver`, or write {OVERLAY}")
        if (fault := _name_fault(network.name)) is not None:
            at = spot if spot.exists else resolved.text.spot
            resolved.filler.complain(
                at, f"Swarm refuses the network name {network.name}: {fault}", _shorter("network"), on_key=True
            )


def _check_names(text: FileText, resolved: Resolved) -> None:
    environment = resolved.environment
    namespace = Namespace(text.head.name, environment.name)
    names = [(slots(namespace, name, 1, None)[0].name, text.layers[name].spot) for name in environment.services]
    names += [(once_name(namespace, number), resolved.text.spot / "before") for number, _ in enumerate(environment.before)]
    for name, spot in names:
        if (fault := _name_fault(name)) is not None:
            resolved.filler.complain(spot, f"Swarm refuses the service name {name}: {fault}", _shorter("service"), on_key=True)


def _name_fault(name: str) -> str | None:
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, more than {LONGEST}"
    return None if _NAME.fullmatch(name) else "it may only have letters, digits, - and _, and must end with a letter or digit"


def _shorter(what: str) -> str:
    return f"rename the {what}, the environment or the pipeline"


class _Rules:
    """The rules for one service."""

    def __init__(self, text: FileText, resolved: Resolved, name: str, service: Service) -> None:
        self._text, self._resolved, self._name, self._service = text, resolved, name, service

    def _spot(self, *path: str) -> Spot:
        return key_spot(self._text, self._resolved.text, self._name, *path)

    def _complain(self, spot: Spot, message: str, hint: str, *, on_key: bool = False) -> None:
        self._resolved.filler.complain(spot, message, hint, on_key=on_key)

    def keys(self) -> None:
        for key, why, instead in refused_keys(self._service):
            self._complain(self._spot(key), f"a Swarm service cannot have `{key}`: {why}", instead, on_key=True)
        if self._service.deploy.resources.reservations.devices:
            spot = self._spot("deploy", "resources", "reservations", "devices")
            message = "a Swarm service cannot have `devices`: a task gets nothing of the node that it runs on"
            self._complain(spot, message, "remove it", on_key=True)

    def attachments(self) -> None:
        for attachment in self._service.networks.values():
            for key, why, instead in refused_attachment(attachment):
                own = self._spot(key)
                below = (self._spot("networks", name, key) for name in ("default", *self._text.parts.networks.names))
                spot = own if own.exists else next((one for one in below if one.exists), self._spot("networks"))
                self._complain(spot, f"a Swarm service cannot have `{key}`: {why}", instead, on_key=True)

    def ports(self) -> None:
        for port in self._service.ports:
            spot = port_spot(self._text, self._resolved, self._name, port)
            if port.host_ip is not None:
                message = f"Swarm publishes port {port.target} on every address of the nodes, not only on {port.host_ip}"
                self._complain(spot, message, "remove the address, and protect the port with a firewall")
            if port.mode == "ingress" and self._service.deploy.endpoint_mode == "dnsrr":
                message = f"port {port.target} has `mode: ingress`, which needs `endpoint_mode: vip`"
                self._complain(spot, message, "write `mode: host` for the port, or remove `endpoint_mode`")

    def mounts(self) -> None:
        for spot, source in relative_sources(self._text, self._resolved, self._name):
            message = f"{source} is on this machine, not on the nodes of the swarm"
            self._complain(spot, message, "use `configs`, a volume, or an absolute path that every node has")
        for mount in self._service.volumes:
            for key in ("selinux", "recursive"):
                if getattr(mount, key) is not None:
                    message = f"a mount of a Swarm service cannot have `{key}`: {mount.target}"
                    self._complain(self._spot("volumes"), message, "remove it")
        for entry in self._service.tmpfs:
            try:
                tmpfs_mount(entry)
            except ValueError as error:
                self._complain(self._spot("tmpfs"), str(error), "use only size and mode, for example size=64m,mode=1777")

    def exclusive(self) -> None:
        """Check that no two tasks use a volume that only one may use."""
        deploy, volumes = self._service.deploy, self._resolved.environment.volumes
        overlapping = deploy.update_config is not None and deploy.update_config.order == "start-first"
        if not overlapping and deploy.mode != "global" and self._service.replicas <= 1:
            return
        for mount in self._service.volumes:
            volume = volumes.get(mount.source or "") if mount.type == "volume" else None
            if volume is not None and volume.exclusive:
                message = f"several tasks use the volume at {mount.target}, which is `exclusive: true`"
                self._complain(self._spot("volumes"), message, "use one replica and `order: stop-first`")

    def replicas(self) -> None:
        if self._service.deploy.mode == "global" and self._service.deploy.replicas is not None:
            spot = self._spot("deploy", "replicas")
            message = "`mode: global` runs one task on each node, so `replicas` has no effect"
            self._complain(spot if spot.exists else self._spot("scale"), message, "keep one of them", on_key=True)

    def updates(self) -> None:
        update = self._service.deploy.update_config
        if update is not None and update.failure_action not in (None, "pause"):
            message = f"`failure_action: {update.failure_action}` would return or replace this service alone"
            hint = "remove it: promoter itself returns all services to what is recorded"
            self._complain(self._spot("deploy", "update_config", "failure_action"), message, hint)

    def dependencies(self) -> None:
        """Check that no service waits for another to complete: Swarm starts a task again that has ended."""
        for other, dependency in self._service.depends_on.items():
            if dependency.condition == "service_completed_successfully":
                message = f"`{self._name}` waits for `{other}` to complete, and a Swarm service does not complete"
                self._complain(self._spot("depends_on", other), message, "run it as a job in `before`", on_key=True)

    def placement(self) -> None:
        spot = self._spot("deploy", "placement", "constraints")
        written = spot.document.at(spot.path)
        for one in self._service.deploy.placement.constraints:
            if not is_swarm_constraint(one):
                at = spot / written.index(one) if isinstance(written, list) and one in written else spot
                hint = "write for example node.labels.KEY == VALUE or node.role == worker; or != instead of =="
                self._complain(at, f"`{one}` is not a constraint of Swarm", hint)
