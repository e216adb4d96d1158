"""Read and name networks, volumes and configs, which may differ by environment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from promoter.config.spec import Reading, Shape
from promoter.model.dataclass import dataclass
from promoter.pipeline.compose.definitions import ConfigForm, NetworkForm, VolumeForm
from promoter.pipeline.model import Network, Volume
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.sources import Origin
from promoter.pipeline.template_filler import Filler, read_shape, templated

S = TypeVar("S", bound=Shape)
OVERLAY = "overlay"


class Part(Generic[S]):
    """One top-level mapping, such as `networks`. Entries without templates are read once."""

    def __init__(self, shape: type[S], key: str, origin: Origin, complaints: Complaints) -> None:
        self._shape = shape
        self._fixed: dict[str, S | None] = {}
        self._varying: dict[str, tuple[Any, Spot, Reading]] = {}
        for name, value, spot, reading in origin.entries(key, complaints):
            written = {} if value is None else value
            if templated(written):
                self._varying[name] = (written, spot, reading)
            else:
                self._fixed[name] = read_shape(shape, written, spot, complaints, None, reading)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._fixed, *self._varying)

    def read(self, filler: Filler) -> dict[str, S]:
        """Return the entries for one environment. Leave out wrong ones, after reporting them."""
        found = dict(self._fixed)
        for name, (value, spot, reading) in self._varying.items():
            found[name] = filler.read(self._shape, value, spot, reading)
        return {name: form for name, form in found.items() if form is not None}


class Parts:
    """Networks, volumes and configs."""

    def __init__(self, origin: Origin, complaints: Complaints) -> None:
        self.networks = Part(NetworkForm, "networks", origin, complaints)
        self.volumes = Part(VolumeForm, "volumes", origin, complaints)
        self.configs = Part(ConfigForm, "configs", origin, complaints)


@dataclass(frozen=True)
class Names:
    """Builds the engine's names in one environment: `<pipeline>-<environment>[-<name>]`, unless the file sets one."""

    prefix: str

    def network(self, name: str, form: NetworkForm | None) -> Network:
        form = form or NetworkForm()
        default = self.prefix if name == "default" else f"{self.prefix}-{name}"
        ipam = form.ipam.model_dump(mode="json", exclude_defaults=True) if form.ipam else None
        return Network(
            form.name or (name if form.external else default),
            form.external,
            form.driver,
            form.driver_opts,
            form.internal,
            form.attachable,
            form.enable_ipv6,
            ipam,
            form.labels,
            form.enable_ipv4,
        )

    def volume(self, name: str, form: VolumeForm | None) -> Volume:
        form = form or VolumeForm()
        engine_name = form.name or (name if form.external else f"{self.prefix}-{name}")
        return Volume(engine_name, form.external, form.driver, form.driver_opts, form.labels, form.exclusive)


def overlays(networks: Mapping[str, Network]) -> dict[str, Network]:
    """Return the networks as a swarm makes them: with the driver `overlay` where the file names none."""
    return {
        name: network if network.external or network.driver else replace(network, driver=OVERLAY)
        for name, network in networks.items()
    }
