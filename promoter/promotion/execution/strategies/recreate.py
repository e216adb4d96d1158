"""The strategy `recreate`: create the new container before the old one is changed; keep the old one until the new is verified.

One replica has one slot. Its container is found by name and by the label of the promotion that created it. So a promotion
that was interrupted at any point can be continued, or undone, from what the engine shows:

NAME-next       created by this promotion, the old one unchanged
NAME-previous   the old one, renamed by this promotion or kept from the last
NAME-older      the one before that, until this promotion is verified

A container that the ledger recorded as matching stays unchanged. One that was kept from an earlier promotion is started
again instead of created.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Self

from promoter.model.clock import Clock
from promoter.model.errors import PromoterError
from promoter.model.images import Digest
from promoter.model.labels import Role, Slot
from promoter.model.release import Release
from promoter.model.timestamps import read_stamp
from promoter.model.verdict import ReasonCode
from promoter.pipeline.model import Environment
from promoter.promotion.container_spec import ContainerRequest, Swapped, killed
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.health import HealthProver
from promoter.promotion.execution.ownership import Owned
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned
from promoter.promotion.execution.strategies.restore import Restoring
from promoter.promotion.plan import images_for, needed_before, waves
from promoter.promotion.ports.engine import Container, Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.steps import Before, Proof, Pull, Replace, Retire, Step, Verify

KILLED = 137
"""The exit code of a process that the engine ended with SIGKILL."""


class Recreate:
    """Puts containers into slots of one engine. `started` is when the promotion started: earlier outages are not counted."""

    def __init__(self, engine: Engine, clock: Clock, secrets: Secrets, probes: Probes | None, started: datetime) -> None:
        self._engine, self._clock, self._secrets, self._started = engine, clock, secrets, started
        self._owned = Owned(engine, clock)
        self._examiner = HealthProver(engine, clock, secrets, probes)
        self.down: dict[str, float] = {}
        self._late: dict[str, str] = {}
        self.outages: dict[str, tuple[float, float]] = {}

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
        return (*pulls, *first, *before, *rest, *verify, Retire())

    def replace(
        self, order: ContainerRequest, slot: Slot, *, restart: bool = False, touch: Callable[[], None] = lambda: None
    ) -> Swapped:
        try:
            return self._replace(order, slot, touch, restart=restart)
        except PromoterError as error:
            if error.exit_code == 130 or error.reason_code is ReasonCode.LOCK_HELD:
                raise
            raise of_error(error, ReasonCode.START_FAILED) from error

    def prove(self, order: ContainerRequest, slot: Slot) -> Swapped:
        found = self._owned.find(order, slot.name)
        if found is None:
            raise StepFailure(ReasonCode.START_FAILED, (f"container {slot.name} is gone: it was removed from outside",))
        if not found.running and order.proof is Proof.SERVING:
            self._down_since(slot, found)
            return self._start(order, slot, found.id)
        health = self._examiner.prove(found.id, order.config, order.proof, settled=True)
        return self._swapped(order, slot, found.id, health)

    def restore(self, failed: Failed, earlier: Earlier | None, emit: Callable[[str], None]) -> Returned:
        return Restoring(self._engine, self._clock, self._secrets, self.prove, emit).go(failed, earlier)

    def uninterruptible(self, clock: Clock, probes: Probes | None) -> Self:
        other = type(self)(self._engine, clock, self._secrets, probes, self._started)
        other.down, other.outages = self.down, self.outages
        return other

    def gap(self, slot: Slot) -> float | None:
        """Return the seconds in which the slot did not serve; None if nothing ran there."""
        down = self.down.get(slot.name)
        if down is None:
            return None
        return self.outages.get(slot.name, (down, self._clock.monotonic()))[1] - down

    # ------------------------------------------------------------ parts
    def _replace(self, order: ContainerRequest, slot: Slot, touch: Callable[[], None], *, restart: bool) -> Swapped:
        current = self._owned.find(order, slot.name)
        if current is not None and order.is_wanted(current):
            kept = self._keep(order, slot, current, touch, restart=restart)
            if kept is not None:
                return kept
            order = replace(order, live=frozenset(), earlier=frozenset())
        touch()
        ready = self._next(order, slot, current)
        self._step_aside(order, slot, current)
        self._engine.rename(ready, slot.name)
        return self._switch(order, slot, ready)

    def _keep(
        self, order: ContainerRequest, slot: Slot, seen: Container, touch: Callable[[], None], *, restart: bool
    ) -> Swapped | None:
        """Keep the container in the slot, which matches. Return None if it is recorded but not healthy: then it is replaced."""
        recorded = seen.id in order.live
        completed = order.proof is Proof.COMPLETED and seen.exit_code == 0 and bool(seen.finished_at)
        if recorded and not restart and (seen.running or completed):
            try:
                health = self._examiner.prove(seen.id, order.config, order.proof, settled=True)
            except StepFailure:
                if order.config.protected:
                    raise
                return None
            return replace(self._swapped(order, slot, seen.id, health), gap=None, kept=True)
        touch()
        if restart and recorded and seen.running:
            self._stop(order, slot, seen)
        return self._switch(order, slot, seen.id)

    def _next(self, order: ContainerRequest, slot: Slot, current: Container | None) -> str:
        """Return the container that is to serve, not started. It exists beside the old one."""
        there = self._owned.find(order, slot.next)
        if there is not None and order.is_wanted(there):
            return there.id
        self._owned.drop(order, slot.next)
        previous = self._owned.find(order, slot.previous)
        if previous is not None and previous.id in order.earlier:
            self._engine.rename(previous.id, slot.next)
            return previous.id
        if order.config.trial:
            self._try(order, slot)
        inherited = self._inherited(order, current or previous)
        return self._engine.create(order.spec(slot.next, Role.LIVE, inherited), self._secrets)

    def _inherited(self, order: ContainerRequest, before: Container | None) -> dict[str, str]:
        """Return the anonymous volumes of the previous container for paths where the image or service has one too."""
        if before is None or not before.anonymous:
            return {}
        asked = {mount.target for mount in order.config.volumes if mount.type == "volume" and mount.source is None}
        asked |= set(self._engine.image_volumes(order.image))
        return {path: name for path, name in before.anonymous.items() if path in asked}

    def _step_aside(self, order: ContainerRequest, slot: Slot, old: Container | None) -> None:
        if old is None:
            return
        if self._owned.find(order, slot.previous) is not None:
            self._owned.drop(order, slot.older)
            self._engine.rename(slot.previous, slot.older)
        self._engine.rename(old.id, slot.previous)

    def _switch(self, order: ContainerRequest, slot: Slot, ready: str) -> Swapped:
        """Stop the old container, which was renamed, and start the one that has its name now."""
        old = self._owned.find(order, slot.previous)
        if old is not None:
            self._stop(order, slot, old)
        return self._start(order, slot, ready)

    def _start(self, order: ContainerRequest, slot: Slot, container: str) -> Swapped:
        self._engine.start(container)
        health = self._examiner.prove(container, order.config, order.proof)
        if slot.name in self.down:
            self.outages[slot.name] = (self.down[slot.name], self._clock.monotonic())
        return self._swapped(order, slot, container, health)

    def _swapped(self, order: ContainerRequest, slot: Slot, container: str, health: str) -> Swapped:
        seen = self._engine.inspect(container)
        started = "" if seen is None else seen.started_at
        digest = self._read_back(container, order)
        return Swapped(container, digest, health, self.gap(slot), started=started, late=self._late.pop(slot.name, None))

    def _stop(self, order: ContainerRequest, slot: Slot, old: Container) -> None:
        self._down_since(slot, old)
        if not old.running:
            return
        started = self._clock.monotonic()
        self._engine.stop(old.id, None)
        took = self._clock.monotonic() - started
        if took >= 1 and (ended := self._engine.inspect(old.id)) is not None and ended.exit_code == KILLED:
            self._late[slot.name] = killed(slot.name, took, init=bool(order.config.init))

    def _down_since(self, slot: Slot, old: Container) -> None:
        """Record the start of an outage. A container that had ended by itself has not served since its end."""
        now = self._clock.monotonic()
        if old.running:
            self.down.setdefault(slot.name, now)
        elif ended := _time(old.finished_at):
            since = max(ended, self._started)
            self.down.setdefault(slot.name, now - max(0.0, (self._clock.now() - since).total_seconds()))

    def _try(self, order: ContainerRequest, slot: Slot) -> None:
        """Prove the new image healthy in a container beside the old one, with its own ports, before the old one stops."""
        self._owned.drop(order, slot.trial)
        trial = self._engine.create(order.spec(slot.trial, Role.CANDIDATE), self._secrets)
        try:
            self._engine.start(trial)
            self._examiner.prove(trial, order.config, order.proof)
        finally:
            self._engine.remove(trial, volumes=True)

    def _read_back(self, container: str, order: ContainerRequest) -> Digest:
        """Return the digest that the running container shows. Raise StepFailure if it is not the recorded one."""
        seen = self._engine.digest_of(container, order.image.repository, order.image.digest)
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
