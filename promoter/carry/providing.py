"""The networks and volumes of an environment: made unless they are there, or are somebody else's."""

from dataclasses import asdict

from promoter.model.naming import Place
from promoter.pipeline import Environment
from promoter.ports import Engine, NetworkSpec, VolumeSpec


def provide(engine: Engine, environment: Environment, place: Place) -> None:
    """Safe to repeat. What is made carries the labels of its place."""
    for network in environment.networks.values():
        if not network.external:
            kept = {k: v for k, v in asdict(network).items() if k not in ("external", "labels")}
            engine.ensure_network(NetworkSpec(**kept, labels={**network.labels, **place.labels}))
    for volume in environment.volumes.values():
        if not volume.external:
            labels = {**volume.labels, **place.labels}
            engine.ensure_volume(VolumeSpec(volume.name, labels, volume.driver, volume.options))
