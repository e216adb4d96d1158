"""Give the networks, volumes and files of one environment their names on the engine."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from promoter.config.spec import Shape
from promoter.config.spec_errors import faults_of
from promoter.model.labels import Namespace, slots
from promoter.pipeline.compose.definitions import NetworkForm, VolumeForm
from promoter.pipeline.compose.implied import SHARED, joined, volumes_service
from promoter.pipeline.compose.service import Service
from promoter.pipeline.file_text import EnvironmentText, FileText
from promoter.pipeline.model import Network, Volume
from promoter.pipeline.mounted_files import Files, contents
from promoter.pipeline.networks_volumes import Names
from promoter.pipeline.problems import Spot
from promoter.pipeline.sources import unknown
from promoter.pipeline.template_filler import Filler


def service_spot(text: FileText, environment: EnvironmentText, service: str, key: str) -> Spot:
    """Return where `key` of a service is set for this environment: in its override, or in the shared service."""
    override = environment.layers.get(service)
    if override is not None and (override.spot / key).exists:
        return override.spot
    return text.layers[service].spot_of(key)


def key_spot(text: FileText, environment: EnvironmentText, service: str, *path: str) -> Spot:
    """Return the position of a key at any depth: in the last layer of the service that has it."""
    layers = (environment.layers.get(service), *reversed(text.layers[service].layers))
    spots = [layer.spot.below(path) for layer in layers if layer is not None]
    return next((spot for spot in spots if spot.exists), service_spot(text, environment, service, path[0]).below(path))


class Placing:
    """Gives networks and volumes of one environment the engine's names, and collects what is used."""

    def __init__(
        self,
        text: FileText,
        environment: EnvironmentText,
        names: Names,
        filler: Filler,
        files: Files,
        written: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._text, self._environment, self._filler, self._files = text, environment, filler, files
        self._written = written
        self._names = names
        self._network_forms: Mapping[str, NetworkForm] = text.parts.networks.read(filler)
        self._volume_forms: Mapping[str, VolumeForm] = text.parts.volumes.read(filler)
        self._config_forms = text.parts.configs.read(filler)
        self.networks: dict[str, Network] = {}
        self.volumes: dict[str, Volume] = {}
        self.contents: dict[str, str] = {}

    def service(self, name: str, canonical: dict[str, Any]) -> Service | None:
        renamed = dict(canonical)
        if "volumes" in renamed:
            renamed["volumes"] = [self._mount(name, mount) for mount in renamed["volumes"]]
        if "network_mode" not in renamed:
            renamed["networks"] = self._attachments(name, renamed.get("networks") or {"default": {}})
        if mac := renamed.get("mac_address"):
            renamed = _with_mac(renamed, mac)
        if "volumes_from" in renamed:
            renamed["volumes_from"] = [self._volumes_from(name, text) for text in renamed["volumes_from"]]
        for key in SHARED:
            if other := joined(renamed.get(key)):
                renamed[key] = self._container(name, key, other) or renamed[key]
        spots = {key: service_spot(self._text, self._environment, name, key) for key in ("secrets", "configs")}
        self.contents |= contents(renamed, spots, self._config_forms, self._text.origin, self._files, self._filler)
        try:
            return Service.model_validate(renamed)
        except ValidationError as error:
            for fault in faults_of(error, Service):
                self._filler.complaints.fault(self._text.layers[name].spot, fault, self._environment.name)
            return None

    def need_default_network(self, checks: Iterable[Shape]) -> None:
        """Add the default network for container checks, even if no service uses it."""
        if not self.networks and any(getattr(check, "kind", "") == "container" for check in checks):
            self._network("default")

    def _container(self, service: str, key: str, other: str) -> str | None:
        """Return the container whose name space this service joins: the first one of the other service, as in Compose."""
        if other not in self._written:
            return None  # reported by the rules
        theirs = self._written[other]
        if theirs.get("deploy", {}).get("replicas") == 0:
            spot = service_spot(self._text, self._environment, service, key) / key
            self._filler.complain(
                spot, f"service `{other}` has no container here: it has 0 replicas", "set `replicas` to 1 or more"
            )
        namespace = Namespace(self._text.head.name, self._environment.name)
        return f"container:{slots(namespace, other, 1, theirs.get('container_name'))[0].name}"

    def _volumes_from(self, service: str, text: str) -> str:
        """Return an entry of `volumes_from` with the engine's name of the container."""
        other = volumes_service(text)
        if other is None:
            return text.removeprefix("container:")
        container = self._container(service, "volumes_from", other)
        return text if container is None else container.removeprefix("container:") + text.removeprefix(other)

    def _attachments(self, service: str, attachments: Mapping[str, Any]) -> dict[str, Any]:
        renamed = {}
        for name, attachment in attachments.items():
            if name != "default" and name not in self._text.parts.networks.names:
                spot = service_spot(self._text, self._environment, service, "networks") / "networks"
                known = ("default", *self._text.parts.networks.names)
                self._filler.complain(spot.entry(name), *unknown(name, "network", known), on_key=True)
                continue
            renamed[self._network(name)] = attachment
        return dict(sorted(renamed.items(), key=lambda entry: -entry[1].get("priority", 0)))

    def _network(self, name: str) -> str:
        network = self._names.network(name, self._network_forms.get(name))
        self.networks[network.name] = network
        return network.name

    def _mount(self, service: str, mount: Mapping[str, Any]) -> Mapping[str, Any]:
        name = mount.get("source")
        if mount["type"] != "volume" or name is None:
            return mount
        if name not in self._text.parts.volumes.names:
            spot = service_spot(self._text, self._environment, service, "volumes") / "volumes"
            message, hint = unknown(name, "volume", self._text.parts.volumes.names)
            self._filler.complain(spot.entry(name), message, hint or f"declare it at the top: `volumes: {{{name}: {{}}}}`")
        volume = self._names.volume(name, self._volume_forms.get(name))
        self.volumes[volume.name] = volume
        return {**mount, "source": volume.name}


def _with_mac(canonical: dict[str, Any], mac: str) -> dict[str, Any]:
    """Give the first network the MAC address of the service, as Compose does; without networks the container has it."""
    if not canonical.get("networks"):
        return canonical
    first, *_ = canonical["networks"]
    attachment = {"mac_address": mac, **canonical["networks"][first]}
    rest = {key: value for key, value in canonical.items() if key != "mac_address"}
    return {**rest, "networks": {**canonical["networks"], first: attachment}}
