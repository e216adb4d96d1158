"""The strategies `start-first` and `hold`: replace the containers behind a front without a failed request.

start-first: the new container starts beside the old one without a published port, and proves its health. The front sends it
requests, and is seen to get an answer from it. Only then the old one gets no new requests, ends its open ones and stops.

hold: the old container ends its open requests and stops before the new one starts. New requests wait in the front, at most
`max_hold`.

Services without published ports, and the front itself, are replaced as `recreate` does it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Self

from promoter.model.clock import Clock
from promoter.model.labels import Slot, color_of
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode
from promoter.pipeline.front import COLORS, FRONT
from promoter.pipeline.model import Environment
from promoter.promotion.container_spec import ContainerRequest, Fronted, Server, Swapped
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.strategies.front_control import FrontControl, server_of
from promoter.promotion.execution.strategies.front_restore import FrontRestoring
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.execution.strategies.recreate import Recreate, keep_unchanged, replaced
from promoter.promotion.execution.strategies.slots import Slots, as_step_failure
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Monitor, Step


class StartFirst:
    """Puts containers into slots of one engine while a front serves."""

    overlaps = True
    """Whether the old and the new container may run at the same time."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, started: datetime) -> None:
        self.slots = Slots(engine, clock, secrets, probes, started)

    @property
    def outages(self) -> dict[str, tuple[float, float]]:
        return self.slots.outages

    @staticmethod
    def steps(environment: Environment, release: Release) -> tuple[Step, ...]:
        """Return the steps of `recreate`, and before the last one the time in which the new containers are watched."""
        *steps, retire = Recreate.steps(environment, release)
        monitor = environment.front.monitor.total_seconds() if environment.front else 0
        return (*steps, *((Monitor(monitor),) if monitor else ()), retire)

    def replace(
        self, order: ContainerRequest, slot: Slot, *, restart: bool = False, touch: Callable[[], None] = lambda: None
    ) -> Swapped:
        with as_step_failure():
            if order.front is None:
                return replaced(self.slots, order, slot, touch, restart=restart)
            if order.service == FRONT:
                swapped = replaced(self.slots, order, slot, touch, restart=restart)
                self._align(order.front)
                return swapped
            return self._replace(order, order.front, slot, touch, restart=restart)

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        return self.slots.prove(order, slot)

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        return FrontRestoring(self.slots, self.prove, emit, overlaps=self.overlaps).go(failed, earlier)

    def uninterruptible(self, clock: Clock, probes: Probes | None) -> Self:
        slots = self.slots
        other = type(self)(slots.engine, clock, slots.secrets, probes, slots.started)
        other.slots = slots.uninterruptible(clock, probes)
        return other

    # ------------------------------------------------------------ parts
    def _replace(
        self, order: ContainerRequest, front: Fronted, slot: Slot, touch: Callable[[], None], *, restart: bool
    ) -> Swapped:
        slots = self.slots
        current = slots.owned.find(order, slot.name)
        if current is not None and color_of(current.labels) and order.is_wanted(current):
            if current.id not in order.live:  # an interrupted try has put it there; the old one may still run
                return self._resume(order, front, slot, current, slots.owned.find(order, slot.previous))
            if not current.running:
                touch()
                slots.down_since(slot, current)
                return self._resume(order, front, slot, current, None)
            if not restart and (kept := keep_unchanged(slots, order, slot, current)) is not None:
                return kept
            order = replace(order, live=frozenset(), earlier=frozenset())
        touch()
        old = current if current is not None else slots.owned.find(order, slot.previous)
        server = server_of(front, order.service, slot, self._color(order, slot, old))
        ready = slots.next(order, slot, old, server)
        return self._swap(order, front, server, ready, old)

    def _resume(self, order: ContainerRequest, front: Fronted, slot: Slot, current: Container, old: Container | None) -> Swapped:
        """Finish a swap whose new container has the slot's name already."""
        server = server_of(front, order.service, slot, color_of(current.labels) or COLORS[0])
        return self._swap(order, front, server, current.id, old)

    def _color(self, order: ContainerRequest, slot: Slot, old: Container | None) -> str:
        """Return the color of the new container: what it was created with, else the one that the old container does not have."""
        there = self.slots.owned.find(order, slot.next)
        if there is not None and order.is_wanted(there) and (color := color_of(there.labels)):
            return color
        used = color_of(old.labels) if old is not None else None
        return next(color for color in COLORS if color != used)

    def _swap(self, order: ContainerRequest, front: Fronted, server: Server, ready: str, old: Container | None) -> Swapped:
        """Start the new container beside the old one, let the front switch to it, and stop the old one."""
        slots, control = self.slots, FrontControl(self.slots.engine, self.slots.clock, front)
        slots.engine.start(ready)
        health = slots.examiner.prove(ready, order.config, order.proof)
        switched = self._switch(control, order.service, server, ready, old)
        self._rename(order, server.slot, ready, old)
        if old is not None:
            slots.stop(server.slot, old, init=bool(order.config.init), served=not switched)
        slots.serves(server.slot)
        swapped = slots.swapped(order, server.slot, ready, health)
        return replace(swapped, gap=0.0) if switched and old is not None else swapped

    def _switch(self, control: FrontControl, service: str, server: Server, ready: str, old: Container | None) -> bool:
        """Send requests to the new container instead of the old one. Return False without a running front that knows both.

        The front starts last in the first promotion, and after a change of its own configuration.
        """
        if control.running() is None or not control.has(service, server):
            return False
        control.admit(service, server, self._inspect(ready))
        serving = old is not None and old.running and color_of(old.labels) == server.other.color
        if serving:
            control.drain(service, server.other)
        try:
            control.seen_answering(service, server)
        except StepFailure:
            if serving and old is not None:
                control.admit(service, server.other, old)
                control.drain(service, server)
            raise
        if serving:
            control.drained(service, server.other, control.front.settings.drain.total_seconds())
        return True

    def _rename(self, order: ContainerRequest, slot: Slot, ready: str, old: Container | None) -> None:
        """Give the new container the name of the slot. Safe to repeat."""
        slots = self.slots
        if old is not None and old.name == slot.name:
            slots.step_aside(order, slot, old)
        if self._inspect(ready).name != slot.name:
            slots.engine.rename(ready, slot.name)

    def _align(self, front: Fronted) -> None:
        """Let the front, which may be new, send requests to what runs. The services behind it serve from now on."""
        slots = self.slots
        found = {(service, slot): slots.engine.inspect(slot.name) for service, names in front.slots.items() for slot in names}
        control = FrontControl(slots.engine, slots.clock, front)
        control.align({key: container for key, container in found.items() if container is not None})
        for _, slot in found:
            slots.serves(slot)

    def _inspect(self, container: str) -> Container:
        seen = self.slots.engine.inspect(container)
        if seen is None:
            raise StepFailure(ReasonCode.START_FAILED, (f"container {container} is gone: it was removed from outside",))
        return seen


class Hold(StartFirst):
    """Replaces what must not run twice: requests wait while nothing runs."""

    overlaps = False

    def _swap(self, order: ContainerRequest, front: Fronted, server: Server, ready: str, old: Container | None) -> Swapped:
        slots, control = self.slots, FrontControl(self.slots.engine, self.slots.clock, front)
        limit = (front.settings.max_hold or front.settings.drain).total_seconds()
        began, serves = slots.clock.monotonic(), control.running() is not None and control.has(order.service, server)
        if serves and old is not None and old.running:
            control.drain(order.service, server.other)
            control.drained(order.service, server.other, min(front.settings.drain.total_seconds(), limit))
        if old is not None:
            slots.stop(server.slot, old, init=bool(order.config.init), served=not serves)
        self._rename(order, server.slot, ready, old)
        slots.engine.start(ready)
        health = self._proven(order, ready, began, limit if serves and old is not None else None)
        if not serves:
            return slots.swapped(order, server.slot, ready, health)
        control.admit(order.service, server, self._inspect(ready))
        held = slots.clock.monotonic() - began
        control.seen_answering(order.service, server)
        swapped = slots.swapped(order, server.slot, ready, health)
        return replace(swapped, gap=0.0, held=held) if old is not None else swapped

    def _proven(self, order: ContainerRequest, ready: str, began: float, limit: float | None) -> str:
        clock = self.slots.clock
        left = None if limit is None else max(0.0, began + limit - clock.monotonic())
        try:
            return self.slots.examiner.prove(ready, order.config, order.proof, within=left)
        except StepFailure as failure:
            if limit is None or clock.monotonic() - began < limit:
                raise
            reason = f"requests waited for {limit:g} s, the most that `max_hold` allows, and {order.service} was not ready"
            raise StepFailure(ReasonCode.HOLD_EXCEEDED, (reason, *failure.reasons), failure.evidence) from failure
