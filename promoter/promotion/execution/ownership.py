"""Find and remove containers by name, but only those that belong to the service.

A name alone proves nothing: another pipeline, or a person, may have given the same name to something else.
"""

from collections.abc import Mapping

from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError, StartError
from promoter.model.ownership import Labels, is_owned, not_ours
from promoter.promotion.container_spec import ContainerRequest
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.runtime import Runtime

REMOVAL = 30.0
"""Seconds to wait for a removal that has begun."""
_POLL = 0.05


@dataclass(frozen=True)
class Owned:
    """The containers of one engine that have the labels of a request's service."""

    engine: Runtime
    clock: Clock

    def find(self, order: ContainerRequest, name: str) -> Container | None:
        """Find a container by name or id, or None. Raise StartError if it belongs to another owner.

        It waits for a container that is being removed, and does not return it.
        """
        return self.of(order.owner, name)

    def of(self, owner: Labels, name: str) -> Container | None:
        found = self.engine.inspect(name)
        if found is None:
            return None
        if not is_owned(found.labels, owner):
            raise not_ours("container", name, found.labels, owner)
        return self._unless_gone(found)

    def drop(self, order: ContainerRequest, name: str, *, volumes: bool = False) -> None:
        """Remove a container if it exists; its data is kept unless `volumes`."""
        if (found := self.find(order, name)) is not None:
            self.engine.remove(found.id, volumes=volumes)

    def _unless_gone(self, found: Container) -> Container | None:
        deadline = self.clock.monotonic() + REMOVAL
        seen: Container | None = found
        while seen is not None and seen.gone:
            if self.clock.monotonic() > deadline:
                raise EngineError(
                    f"container {found.name} is still being removed after {REMOVAL:g} s",
                    hint="look at the engine's log; a restart of the engine ends a removal that hangs",
                )
            self.clock.sleep(_POLL)
            seen = self.engine.inspect(found.id)
        return seen


def refuse_foreign(
    names: Mapping[str, Labels], labels_by_name: Mapping[str, Labels], kind: str = "container"
) -> StartError | None:
    """Return the refusal for the first of `names` (each with its required owner) that belongs to another; None without one."""
    for name, owner in names.items():
        labels = labels_by_name.get(name)
        if labels is not None and not is_owned(labels, owner):
            return not_ours(kind, name, labels, owner)
    return None
