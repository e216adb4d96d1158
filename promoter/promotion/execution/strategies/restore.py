"""Restore an environment after a step failed or a run was interrupted.

First the containers of the failed promotion are removed, dependents before their dependencies. Then the containers that ran
before are started again in the order of `depends_on`, every service is proven again, and the recorded verification is
repeated. Only then is the environment reported as healthy.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from promoter.model.clock import Clock
from promoter.model.errors import LeaseLost, PromoterError
from promoter.model.labels import Role, Slot, promotion_of
from promoter.model.ownership import owner_labels
from promoter.promotion.container_spec import ContainerRequest, Swapped
from promoter.promotion.execution.failure import Evidence, StepFailure
from promoter.promotion.execution.ownership import Owned
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.lost_image import create
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.secrets import Secrets

Prove = Callable[[ContainerRequest, Slot], Swapped]


class Restoring:
    """Undoes one failed promotion. It continues after errors, and reports them. `clock` cannot be interrupted."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, prove: Prove, emit: Callable[[str], None]) -> None:
        self._engine, self._secrets, self._prove_slot, self._emit = engine, secrets, prove, emit
        self._owned = Owned(engine, clock)
        self._problems: list[str] = []
        self._evidence: list[Evidence] = []
        self._volumes: dict[str, Mapping[str, str]] = {}
        """Anonymous volumes of removed containers, by slot: the service's data, in case its container must be created again."""

    def go(self, failed: Failed, earlier: Earlier | None) -> Returned:
        """Undo the promotion. Raise only LeaseLost or EngineLost."""
        self._volumes.update(failed.volumes)
        for service, slots in reversed(tuple(failed.touched.items())):
            for slot in slots:
                recorded = earlier.containers.get(service, frozenset()) if earlier else frozenset[str]()
                self._trying(partial(self._withdraw, failed, service, slot, recorded))
        if earlier is None:
            return Returned(True, problems=tuple(self._problems), evidence=tuple(self._evidence))
        touched = [service for service in earlier.services if service in failed.touched]
        for service in touched:
            self._emit(service)
            for slot in earlier.slots(service):
                self._trying(partial(self._bring_back, earlier, service, slot))
        for service in self._restarting(earlier, touched):
            for slot in earlier.slots(service):
                self._trying(partial(self._stop, earlier.order(service), slot))
        services = self._prove_services(earlier)
        if not self._problems:
            self._problems += earlier.verify()
        return Returned(True, False, services, tuple(self._problems), tuple(self._evidence), earlier.release)

    def _withdraw(self, failed: Failed, service: str, slot: Slot, recorded: frozenset[str]) -> None:
        """Remove what the promotion created. A kept container that it started again is stopped and renamed."""
        owner = owner_labels(failed.namespace, service)
        for name in (slot.trial, slot.next, slot.name):
            found = self._owned.of(owner, name)
            if found is not None and made_by(found, failed.promotion) and found.id not in recorded:
                self._volumes[slot.name] = found.anonymous
                self._engine.remove(found.id, volumes=True)
        current, previous = self._owned.of(owner, slot.name), self._owned.of(owner, slot.previous)
        displaced = current is not None and current.id not in recorded and previous is not None and previous.id in recorded
        if displaced and current is not None:
            self._engine.stop(current.id, None)
            self._engine.rename(current.id, slot.next)

    def _bring_back(self, earlier: Earlier, service: str, slot: Slot) -> None:
        order, recorded = earlier.order(service), earlier.containers.get(service, frozenset())
        found = self._owned.find(order, slot.name)
        if found is None or (recorded and found.id not in recorded):
            self._rename_first(order, slot, recorded, taken=found is not None)
        for parked, free in ((slot.next, slot.previous), (slot.older, slot.previous)):
            if self._owned.find(order, free) is None and (kept := self._owned.find(order, parked)) is not None:
                self._engine.rename(kept.id, free)
        if self._owned.find(order, slot.name) is None:
            inherited = self._volumes.get(slot.name, {})
            create(self._engine, order.spec(slot.name, Role.LIVE, inherited), self._secrets)

    def _rename_first(self, order: ContainerRequest, slot: Slot, recorded: frozenset[str], *, taken: bool) -> None:
        """Rename the container that ran before to its old name; without a record, the one that was renamed last."""
        for name in (slot.previous, slot.older):
            kept = self._owned.find(order, name)
            if kept is not None and (kept.id in recorded or not (recorded or taken)):
                if taken:
                    self._owned.drop(order, slot.name)
                self._engine.rename(kept.id, slot.name)
                return

    def _restarting(self, earlier: Earlier, touched: list[str]) -> list[str]:
        """Return unchanged services that must restart with a restored one: they may share its network, which ended with it."""
        found = list(touched)
        for service in earlier.services:
            needed = earlier.order(service).config.depends_on.items()
            if service not in found and any(d.restart and name in found for name, d in needed):
                found.append(service)
        return [service for service in found if service not in touched]

    def _stop(self, order: ContainerRequest, slot: Slot) -> None:
        if (found := self._owned.find(order, slot.name)) is not None:
            self._engine.stop(found.id, None)

    def _prove_services(self, earlier: Earlier) -> dict[str, list[Swapped]]:
        """Prove all services, also unchanged ones: one may have ended when another one was removed."""
        seen: dict[str, list[Swapped]] = {}
        for service in earlier.services:
            seen[service] = []
            for slot in earlier.slots(service):
                self._trying(partial(self._prove, earlier.order(service), slot, seen[service]))
        return seen

    def _prove(self, order: ContainerRequest, slot: Slot, seen: list[Swapped]) -> None:
        seen.append(self._prove_slot(order, slot))

    def _trying(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StepFailure as failure:
            self._problems += failure.reasons
            self._evidence += failure.evidence
        except LeaseLost:
            raise
        except PromoterError as error:
            self._problems += [error.message, *([error.hint] if error.hint else [])]


def made_by(container: Container | None, promotion: str) -> bool:
    return container is not None and promotion_of(container.labels) == promotion


def slots_of(containers: Iterable[Container], service_of: Callable[[Mapping[str, str]], str]) -> dict[str, tuple[Slot, ...]]:
    """Return the slots of an environment's containers, by service, read from their names."""
    found: dict[str, tuple[Slot, ...]] = {}
    for container in containers:
        service = service_of(container.labels)
        found[service] = tuple(dict.fromkeys((*found.get(service, ()), Slot.of(container.name))))
    return found
