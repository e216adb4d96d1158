"""The strategy `recreate`: create the new container before the old one is changed; keep the old one until the new is verified.

A container that the ledger recorded as matching stays unchanged. One that was kept from an earlier promotion is started
again instead of created. `slots.py` has the names of the containers.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Self

from promoter.model.clock import Clock
from promoter.model.labels import Slot
from promoter.model.release import Release
from promoter.pipeline.model import Environment
from promoter.promotion.container_spec import ContainerRequest, Swapped
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.execution.strategies.restore import Restoring
from promoter.promotion.execution.strategies.slots import Slots, as_step_failure
from promoter.promotion.plan import images_for, needed_before, waves
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Before, Proof, Pull, Replace, Retire, Step, Verify


class Recreate:
    """Puts containers into slots of one engine."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, started: datetime) -> None:
        self.slots = Slots(engine, clock, secrets, probes, started)

    @property
    def outages(self) -> dict[str, tuple[float, float]]:
        return self.slots.outages

    @staticmethod
    def steps(environment: Environment, release: Release) -> tuple[Step, ...]:
        """Return the steps: pulls first, then the services wave by wave, with `before` jobs as early as dependencies allow."""
        services, images = environment.services, images_for(environment, release)
        pulls = [Pull(name, images[name]) for name in services]
        before = [Before(i, check.title()) for i, check in enumerate(environment.before)]
        replaces = [
            Replace(name, images[name], services[name].replicas, i) for i, wave in enumerate(waves(services)) for name in wave
        ]
        early = needed_before(environment)
        first = [step for step in replaces if step.service in early]
        rest = [step for step in replaces if step.service not in early]
        verify = [Verify(i, check.title()) for i, check in enumerate(environment.verify)]
        return (*pulls, *first, *before, *rest, *verify, Retire(swarm=environment.swarm is not None))

    def replace(
        self, order: ContainerRequest, slot: Slot, *, restart: bool = False, touch: Callable[[], None] = lambda: None
    ) -> Swapped:
        with as_step_failure():
            return replaced(self.slots, order, slot, touch, restart=restart)

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        return self.slots.prove(order, slot)

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        slots = self.slots
        return Restoring(slots.engine, slots.clock, slots.secrets, self.prove, emit).go(failed, earlier)

    def uninterruptible(self, clock: Clock, probes: Probes | None) -> Self:
        slots = self.slots
        other = type(self)(slots.engine, clock, slots.secrets, probes, slots.started)
        other.slots = slots.uninterruptible(clock, probes)
        return other


def replaced(slots: Slots, order: ContainerRequest, slot: Slot, touch: Callable[[], None], *, restart: bool) -> Swapped:
    """Put the requested container into the slot: the old one stops before the new one starts."""
    current = slots.owned.find(order, slot.name)
    if current is not None and order.is_wanted(current):
        kept = _keep(slots, order, slot, current, touch, restart=restart)
        if kept is not None:
            return kept
        order = replace(order, live=frozenset(), earlier=frozenset())
    touch()
    ready = slots.next(order, slot, current)
    slots.step_aside(order, slot, current)
    slots.engine.rename(ready, slot.name)
    return _switch(slots, order, slot, ready)


def keep_unchanged(slots: Slots, order: ContainerRequest, slot: Slot, seen: Container) -> Swapped | None:
    """Keep the recorded container in the slot, which was not changed. Return None if it is not healthy: then it is replaced."""
    try:
        health = slots.examiner.prove(seen.id, order.config, order.proof, settled=True)
    except StepFailure:
        if order.config.protected:
            raise
        return None
    return replace(slots.swapped(order, slot, seen.id, health), gap=None, kept=True)


def _keep(
    slots: Slots, order: ContainerRequest, slot: Slot, seen: Container, touch: Callable[[], None], *, restart: bool
) -> Swapped | None:
    """Keep the container in the slot, which matches. Return None if it is recorded but not healthy."""
    recorded = seen.id in order.live
    completed = order.proof is Proof.COMPLETED and seen.exit_code == 0 and bool(seen.finished_at)
    if recorded and not restart and (seen.running or completed):
        return keep_unchanged(slots, order, slot, seen)
    touch()
    if restart and recorded and seen.running:
        slots.stop(slot, seen, init=bool(order.config.init))
    return _switch(slots, order, slot, seen.id)


def _switch(slots: Slots, order: ContainerRequest, slot: Slot, ready: str) -> Swapped:
    """Stop the old container, which was renamed, and start the one that has its name now."""
    old = slots.owned.find(order, slot.previous)
    if old is not None:
        slots.stop(slot, old, init=bool(order.config.init))
    return slots.start(order, slot, ready)
