"""Let the nodes of a swarm pull an image, before any service is changed: by a job that runs nothing of it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import NotInRegistry, RegistryError
from promoter.model.images import ImageRef
from promoter.model.labels import ROLE, Role
from promoter.model.verdict import ReasonCode
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.ports.cluster import Cluster, Task
from promoter.promotion.ports.container import ContainerSpec
from promoter.promotion.ports.registry import Registry

_PULLED = ("starting", "running", "complete", "failed")
"""States of a task whose image is on its node: a task that cannot pull is rejected."""
_POLL = 0.2


@dataclass(frozen=True)
class Pulling:
    """Pulls on every node of a swarm on which a service may run, within `timeout`."""

    cluster: Cluster
    registry: Registry
    clock: Clock
    timeout: timedelta

    def pull(self, made_as: ImageRef, spec: ContainerSpec) -> tuple[str, ...]:
        """Return the nodes that have the image. `made_as` is its name in the release. Raise StepFailure if one cannot pull."""
        if made_as.repository != spec.image.repository:
            self.registry.copy(made_as, spec.image.repository)
        name = f"{spec.name[:44]}-pull-{uuid4().hex[:8]}"  # two runs may pull at the same time
        job = self.cluster.spread(replace(spec, name=name, labels={**spec.labels, ROLE: Role.JOB}))
        try:
            return self._pulled(job, spec.image)
        finally:
            self.cluster.remove(job)

    def _pulled(self, job: str, image: ImageRef) -> tuple[str, ...]:
        ends = self.clock.monotonic() + self.timeout.total_seconds()
        while True:
            seen = self.cluster.service(job)
            tasks = [task for task in seen.tasks if task.node] if seen is not None else []
            newest = {task.node: task for task in tasks}
            done = {task.node for task in tasks if task.state in _PULLED}
            refused = _refused(tasks, done)
            if newest and not newest.keys() - done - refused.keys():
                if refused:
                    raise self._failure(image, list(refused.values()))
                return tuple(sorted(done))
            if self.clock.monotonic() >= ends:
                waiting = [task.sentence for node, task in newest.items() if node not in done]
                waiting = waiting or ["no node is allowed to run it: look at its placement"]
                raise StepFailure(ReasonCode.PULL_FAILED, (f"{image} was not pulled on every node in time", *waiting))
            self.clock.sleep(_POLL)

    def _failure(self, image: ImageRef, refused: list[Task]) -> StepFailure:
        """Return the failure, with what the registry says: a swarm says `No such image` also if the login is refused."""
        nodes = sorted(task.node for task in refused)
        sentences = tuple(f"{task.node}: {task.error}" for task in refused)
        what = f"{image} could not be pulled on {', '.join(nodes)}"
        return StepFailure(ReasonCode.PULL_FAILED, (what, *sentences, self._at_registry(image, nodes)))

    def _at_registry(self, image: ImageRef, nodes: list[str]) -> str:
        host = image.repository.host
        try:
            found = self.registry.manifest(image)
        except NotInRegistry:
            found = None
        except RegistryError as error:
            return f"asked from here, the registry answers: {error.message}"
        if found is None:
            return f"the registry {host} does not have this image: build and push the release again"
        return (
            f"asked from here with the same login, the registry {host} has this image: look at the connection from "
            f"{', '.join(nodes)} to it, and at its certificate there"
        )


def _refused(tasks: Sequence[Task], done: Collection[str]) -> dict[str, Task]:
    """Return the task of each node that could not pull the image. A swarm does not try again."""
    return {task.node: task for task in tasks if task.state == "rejected" and task.node not in done}
