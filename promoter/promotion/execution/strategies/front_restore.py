"""Restore an environment behind a front: the container that ran before gets the requests back before the new one is removed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from promoter.model.errors import EngineLost, LeaseLost, PromoterError
from promoter.model.labels import Slot, color_of
from promoter.pipeline.front import FRONT
from promoter.promotion.container_spec import ContainerRequest, Fronted
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.strategies.front_control import FrontControl, server_of
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.execution.strategies.restore import Prove, Restoring, made_by
from promoter.promotion.execution.strategies.slots import Slots
from promoter.promotion.ports.container import Container


class FrontRestoring:
    """Undoes one failed promotion. `overlaps`: whether the old and the new container may run at the same time."""

    def __init__(self, slots: Slots, prove: Prove, emit: Callable[[str], None], *, overlaps: bool) -> None:
        self._slots, self._overlaps = slots, overlaps
        self._others = Restoring(slots.engine, slots.clock, slots.secrets, prove, emit)

    def go(self, failed: Failed, earlier: Earlier | None) -> Returned:
        """Undo the promotion. Raise only LeaseLost or EngineLost.

        What cannot be switched here is restored with a gap, and the errors that matter are found and reported then.
        """
        if earlier is None:
            return self._others.go(failed, earlier)
        for service, slots in failed.touched.items():
            if service not in earlier.services or service == FRONT:
                continue
            order = earlier.order(service)
            for slot in slots:
                self._tried(partial(self._give_back, failed, earlier, order, slot))
        returned = self._others.go(failed, earlier)
        front = earlier.order(FRONT).front if FRONT in earlier.services else None
        problems = () if front is None else self._tried(partial(self._align, front))
        return replace(returned, problems=(*returned.problems, *problems))

    def _give_back(self, failed: Failed, earlier: Earlier, order: ContainerRequest, slot: Slot) -> None:
        """Start the container that ran before, prove it, and let the front send it the requests."""
        old = self._recorded(earlier, order, slot)
        color = None if old is None else color_of(old.labels)
        if order.front is None or old is None or color is None:
            return
        slots, control = self._slots, FrontControl(self._slots.engine, self._slots.clock, order.front)
        server, drain = server_of(order.front, order.service, slot, color), order.front.settings.drain.total_seconds()
        if control.running() is None or not control.has(order.service, server):
            return
        if not self._overlaps:
            control.drain(order.service, server.other)
            control.drained(order.service, server.other, drain)
            self._stop_new(failed, order, slot)
        slots.engine.start(old.id)
        slots.examiner.prove(old.id, order.config, order.proof)
        control.admit(order.service, server, slots.engine.inspect(old.id) or old)
        if self._overlaps:
            control.drain(order.service, server.other)
            control.drained(order.service, server.other, drain)

    def _recorded(self, earlier: Earlier, order: ContainerRequest, slot: Slot) -> Container | None:
        recorded = earlier.containers.get(order.service, frozenset())
        found = (self._slots.owned.find(order, name) for name in (slot.name, slot.previous, slot.older))
        return next((container for container in found if container is not None and container.id in recorded), None)

    def _stop_new(self, failed: Failed, order: ContainerRequest, slot: Slot) -> None:
        for name in (slot.name, slot.next):
            found = self._slots.owned.find(order, name)
            if found is not None and made_by(found, failed.promotion):
                self._slots.engine.stop(found.id, None)

    def _align(self, front: Fronted) -> None:
        engine = self._slots.engine
        found = {(service, slot): engine.inspect(slot.name) for service, slots in front.slots.items() for slot in slots}
        control = FrontControl(engine, self._slots.clock, front)
        control.align({key: container for key, container in found.items() if container is not None})

    @staticmethod
    def _tried(act: Callable[[], None]) -> tuple[str, ...]:
        """Return what went wrong."""
        try:
            act()
        except StepFailure as failure:
            return failure.reasons
        except (LeaseLost, EngineLost):
            raise
        except PromoterError as error:
            return (error.message,)
        return ()
