"""Rules for the services of one environment: report what would fail on the engine before a run."""

from promoter.pipeline.compose.implied import SHARED, joined
from promoter.pipeline.compose.service import Service
from promoter.pipeline.dag import find_cycle
from promoter.pipeline.engine_names import service_spot
from promoter.pipeline.file_text import FileText
from promoter.pipeline.front import is_behind
from promoter.pipeline.model import SUPPORTED
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.service_list import left_out
from promoter.pipeline.validation.front import check_front
from promoter.pipeline.validation.hosts import check_hosts
from promoter.pipeline.validation.spots import relative_sources
from promoter.pipeline.validation.swarm import check_swarm


def check_services(text: FileText, resolved: Resolved) -> None:
    environment, spot = resolved.environment, resolved.text.spot
    if environment.strategy not in SUPPORTED:
        message = f"this version does not support strategy {environment.strategy}"
        resolved.filler.complain(spot / "strategy", message, f"use {' or '.join(SUPPORTED)}")
    in_swarm = environment.swarm is not None
    (check_swarm if in_swarm else check_hosts)(text, resolved)
    check_front(text, resolved)
    for name, service in environment.services.items():
        rules = _Rules(text, resolved, name, service)
        rules.processor()
        rules.networks()
        rules.names()
        if not in_swarm:
            rules.alone()
            rules.files()
            rules.relative_binds()
    _check_cycle(text, resolved)


class _Rules:
    def __init__(self, text: FileText, resolved: Resolved, name: str, service: Service) -> None:
        self._text, self._resolved, self._name, self._service = text, resolved, name, service

    def _complain(self, key: str, message: str, hint: str | None = None) -> None:
        spot = service_spot(self._text, self._resolved.text, self._name, key) / key
        self._resolved.filler.complain(spot, message, hint)

    def alone(self) -> None:
        """Check for resources that only one container at a time can use."""
        service, replicas = self._service, self._service.replicas
        behind = self._resolved.environment.front is not None and is_behind(service)
        if replicas <= 1 or behind:
            return  # check_front has the rules for services behind a front
        why = f"{replicas} replicas run side by side"
        fixed = [port.published for port in service.ports if port.published is not None]
        if fixed:
            self._complain("ports", f"{why}, but only one container can use host port {fixed[0]}", "publish no fixed host port")
        if service.container_name is not None:
            self._complain(
                "container_name", f"{why}, but only one container can have the name {service.container_name}", "remove it"
            )

    def processor(self) -> None:
        """Check that cores are limited in one way: the engine refuses both."""
        service = self._service
        key = next((key for key in ("cpu_quota", "cpu_period") if getattr(service, key) is not None), None)
        if key is not None and (service.cpus or service.deploy.resources.limits.cpus):
            self._complain(key, f"`cpus` and `{key}` cannot be used together", "keep one: `cpus` is `cpu_quota` by `cpu_period`")

    def networks(self) -> None:
        service = self._service
        if service.network_mode is None:
            return
        if service.networks:
            self._complain(
                "networks", f"`networks` and `network_mode: {service.network_mode}` cannot be used together", "keep one"
            )
        if service.ports:
            self._complain("ports", f"with `network_mode: {service.network_mode}` no port can be published", "remove `ports`")

    def files(self) -> None:
        service = self._service
        granted = "secrets" if service.secrets else "configs" if service.configs else None
        if service.read_only and granted:
            message = f"with `read_only: true` the engine cannot place the files of `{granted}`"
            self._complain(granted, message, "pass the values with `environment`, or remove `read_only`")

    def names(self) -> None:
        """Check that services that this one names exist."""
        known = self._resolved.text.services
        shared = {joined(getattr(self._service, key)): key for key in SHARED}
        for other, dependency in self._service.depends_on.items():
            if other not in known and dependency.required:
                key = shared.get(other) or next(
                    (k for k in ("depends_on", "links", "volumes_from") if self._names(k, other)), "depends_on"
                )
                spot = service_spot(self._text, self._resolved.text, self._name, key) / key
                problem = left_out(self._text, self._resolved.text, other, known)
                self._resolved.filler.complain(spot if key in SHARED else spot.entry(other), *problem, on_key=key not in SHARED)

    def _names(self, key: str, other: str) -> bool:
        value = self._text.layers[self._name].raw.get(key) or ()
        return any(str(one).partition(":")[0] == other for one in value)

    def relative_binds(self) -> None:
        """Check that local paths are not used with an engine on another machine."""
        far = next((e for e in self._resolved.environment.engines if e and not e.startswith("unix://")), None)
        if far is None:
            return
        for spot, source in relative_sources(self._text, self._resolved, self._name):
            message = f"{source} is on this machine, but {far} is another machine"
            self._resolved.filler.complain(spot, message, "name an absolute path of the engine's host, or use a volume")


def _check_cycle(text: FileText, resolved: Resolved) -> None:
    services = resolved.environment.services
    cycle = find_cycle({name: tuple(service.depends_on) for name, service in services.items()})
    if cycle:
        spot = service_spot(text, resolved.text, cycle[0], "depends_on") / "depends_on"
        message = f"`depends_on` has a cycle: {' -> '.join((*cycle, cycle[0]))}"
        resolved.filler.complain(spot, message, "remove one of these dependencies")
