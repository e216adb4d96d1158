"""The networks and volumes of an environment: created if they are missing."""

from dataclasses import asdict

from promoter.model.labels import Namespace
from promoter.model.ownership import owner_labels
from promoter.pipeline.model import Environment
from promoter.promotion.ports.container import NetworkSpec, VolumeSpec
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.runtime import Runtime


def provide(engine: Engine, environment: Environment, namespace: Namespace) -> None:
    """Create networks and volumes with their labels. Raise StartError for those of another owner. Safe to repeat."""
    provide_networks(engine, environment, namespace)
    owner = owner_labels(namespace)
    for volume in environment.volumes.values():
        if not volume.external:
            engine.ensure_volume(VolumeSpec(volume.name, {**volume.labels, **owner}, volume.driver, volume.options), owner)


def provide_networks(runtime: Runtime, environment: Environment, namespace: Namespace) -> None:
    """Create networks only: the nodes of a swarm create volumes themselves."""
    owner = owner_labels(namespace)
    for network in environment.networks.values():
        if not network.external:
            kept = {k: v for k, v in asdict(network).items() if k not in ("external", "labels")}
            runtime.ensure_network(NetworkSpec(**kept, labels={**network.labels, **owner}), owner)
