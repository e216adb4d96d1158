"""The names of one replica on an engine, and the parts of a replacement that the strategies share.

One replica has one slot. Its container is found by name and by the label of the promotion that created it. So a promotion
that was interrupted at any point can be continued, or undone, from what the engine shows:

NAME-next       created by this promotion, the old one unchanged
NAME-previous   the old one, renamed by this promotion or kept from the last
NAME-older      the one before that, until this promotion is verified
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from promoter.model.clock import Clock
from promoter.model.errors import PromoterError
from promoter.model.images import Digest
from promoter.model.labels import Role, Slot, color_of
from promoter.model.timestamps import read_stamp
from promoter.model.verdict import ReasonCode
from promoter.promotion.container_spec import ContainerRequest, Server, Swapped, killed
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.health import HealthProver
from promoter.promotion.execution.ownership import Owned
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Proof

KILLED = 137
"""The exit code of a process that the engine ended with SIGKILL."""


@contextmanager
def as_step_failure() -> Iterator[None]:
    """Raise an error of the engine as the failure of the step. An interruption and a lost lease stay what they are."""
    try:
        yield
    except PromoterError as error:
        if error.exit_code == 130 or error.reason_code is ReasonCode.LOCK_HELD:
            raise
        raise of_error(error, ReasonCode.START_FAILED) from error


class Slots:
    """The containers of one engine by slot. `started` is when the promotion started: earlier outages are not counted."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, started: datetime) -> None:
        self.engine, self.clock, self.secrets, self.started = engine, clock, secrets, started
        self.owned = Owned(engine, clock)
        self.examiner = HealthProver(engine, clock, secrets, probes)
        self.down: dict[str, float] = {}
        self.outages: dict[str, tuple[float, float]] = {}
        self._late: dict[str, str] = {}

    def uninterruptible(self, clock: Clock, probes: Probes | None) -> Self:
        other = type(self)(self.engine, clock, self.secrets, probes, self.started)
        other.down, other.outages = self.down, self.outages
        return other

    def gap(self, slot: Slot) -> float | None:
        """Return the seconds in which the slot did not serve; None if nothing ran there."""
        down = self.down.get(slot.name)
        if down is None:
            return None
        return self.outages.get(slot.name, (down, self.clock.monotonic()))[1] - down

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        """Prove the container in the slot again; if it has ended, start it again. Raise StepFailure."""
        found = self.owned.find(order, slot.name)
        if found is None:
            raise StepFailure(ReasonCode.START_FAILED, (f"container {slot.name} is gone: it was removed from outside",))
        if not found.running and order.proof is Proof.SERVING:
            self.down_since(slot, found)
            return self.start(order, slot, found.id)
        health = self.examiner.prove(found.id, order.config, order.proof, settled=True)
        return self.swapped(order, slot, found.id, health)

    def next(self, order: ContainerRequest, slot: Slot, current: Container | None, server: Server | None = None) -> str:
        """Return the container that is to serve, not started. It exists beside the old one.

        `server` is what it must be in the front: a container that was kept as the other one is not used again.
        """
        there = self.owned.find(order, slot.next)
        if there is not None and order.is_wanted(there):
            return there.id
        self.owned.drop(order, slot.next)
        previous = self.owned.find(order, slot.previous)
        if previous is not None and previous.id in order.earlier and color_of(previous.labels) == (server and server.color):
            self.engine.rename(previous.id, slot.next)
            return previous.id
        if order.config.trial:
            self._try(order, slot)
        inherited = self._inherited(order, current or previous)
        return self.engine.create(order.spec(slot.next, Role.LIVE, inherited, server), self.secrets)

    def step_aside(self, order: ContainerRequest, slot: Slot, old: Container | None) -> None:
        """Rename the old container."""
        if old is None:
            return
        if self.owned.find(order, slot.previous) is not None:
            self.owned.drop(order, slot.older)
            self.engine.rename(slot.previous, slot.older)
        self.engine.rename(old.id, slot.previous)

    def start(self, order: ContainerRequest, slot: Slot, container: str) -> Swapped:
        """Start a container and prove it healthy: the end of an outage of its slot."""
        self.engine.start(container)
        health = self.examiner.prove(container, order.config, order.proof)
        self.serves(slot)
        return self.swapped(order, slot, container, health)

    def stop(self, slot: Slot, old: Container, *, init: bool, served: bool = True) -> None:
        """Stop a container. Its slot does not serve from now on, if it has `served` until now."""
        if served:
            self.down_since(slot, old)
        if not old.running:
            return
        started = self.clock.monotonic()
        self.engine.stop(old.id, None)
        took = self.clock.monotonic() - started
        if took >= 1 and (ended := self.engine.inspect(old.id)) is not None and ended.exit_code == KILLED:
            self._late[slot.name] = killed(slot.name, took, init=init)

    def serves(self, slot: Slot) -> None:
        """Record the end of an outage."""
        if slot.name in self.down:
            self.outages[slot.name] = (self.down[slot.name], self.clock.monotonic())

    def down_since(self, slot: Slot, old: Container) -> None:
        """Record the start of an outage. A container that had ended by itself has not served since its end."""
        now = self.clock.monotonic()
        if old.running:
            self.down.setdefault(slot.name, now)
        elif ended := _time(old.finished_at):
            since = max(ended, self.started)
            self.down.setdefault(slot.name, now - max(0.0, (self.clock.now() - since).total_seconds()))

    def swapped(self, order: ContainerRequest, slot: Slot, container: str, health: str) -> Swapped:
        """Describe the replica after its digest was read back."""
        seen = self.engine.inspect(container)
        started = "" if seen is None else seen.started_at
        digest = self._read_back(container, order)
        return Swapped(container, digest, health, self.gap(slot), started=started, late=self._late.pop(slot.name, None))

    # ------------------------------------------------------------ parts
    def _inherited(self, order: ContainerRequest, before: Container | None) -> dict[str, str]:
        """Return the anonymous volumes of the previous container for paths where the image or service has one too."""
        if before is None or not before.anonymous:
            return {}
        asked = {mount.target for mount in order.config.volumes if mount.type == "volume" and mount.source is None}
        asked |= set(self.engine.image_volumes(order.image))
        return {path: name for path, name in before.anonymous.items() if path in asked}

    def _try(self, order: ContainerRequest, slot: Slot) -> None:
        """Prove the new image healthy in a container beside the old one, with its own ports, before the old one stops."""
        self.owned.drop(order, slot.trial)
        trial = self.engine.create(order.spec(slot.trial, Role.CANDIDATE), self.secrets)
        try:
            self.engine.start(trial)
            self.examiner.prove(trial, order.config, order.proof)
        finally:
            self.engine.remove(trial, volumes=True)

    def _read_back(self, container: str, order: ContainerRequest) -> Digest:
        """Return the digest that the running container shows. Raise StepFailure if it is not the recorded one."""
        seen = self.engine.digest_of(container, order.image.repository, order.image.digest)
        if seen != order.image.digest:
            raise StepFailure(
                ReasonCode.DIGEST_MISMATCH,
                (f"{order.service} must run {order.image.digest}, but its container shows {seen or 'no digest'}",),
            )
        return seen


def _time(stamp: str) -> datetime | None:
    """Parse an engine's time stamp; None if it is empty or zero."""
    if not stamp or stamp.startswith("0001-"):
        return None
    try:
        return read_stamp(stamp)
    except ValueError:
        return None
