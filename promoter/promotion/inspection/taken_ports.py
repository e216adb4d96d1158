"""Ports of an environment that containers of others have already, found before anything is built or changed."""

from collections.abc import Iterable, Iterator

from promoter.model.labels import Namespace
from promoter.pipeline.compose.ports import clash
from promoter.pipeline.model import Environment
from promoter.promotion.ports.engine import PublishedPort


def taken_ports(environment: Environment, pipeline: str, there: Iterable[PublishedPort]) -> Iterator[str]:
    """Yield a sentence for each port that a container of another environment or of someone else has."""
    ours = Namespace(pipeline, environment.name).labels.items()
    others = [one for one in there if not ours <= one.labels.items()]
    for name, service in environment.services.items():
        for port in service.ports if service.replicas else ():
            holder = next(
                (
                    one.container
                    for one in others
                    if (one.port, one.protocol) == (port.published, port.protocol) and clash(one.address, port.host_ip)
                ),
                None,
            )
            if holder is not None:
                yield f"{environment.name}: port {port.published} of service {name} is used by container {holder}"
