"""The strategy `recreate`: the new container is made before the old is touched, and the old is kept until proven needless.

One replica has one slot. Its container is found by name and by the label of the promotion that made it, so that a
promotion which was cut off anywhere goes on, or is put back, from what the engine shows:

    NAME-next       made by this promotion, the old one untouched
    NAME-previous   the old one, moved aside by this promotion or kept from the last
    NAME-older      the one before that, until this promotion is verified
"""

from dataclasses import dataclass

from promoter.carry.failure import StepFailure, of_error
from promoter.carry.health import Examiner, Proof
from promoter.compose.service import Service
from promoter.model.digest import Digest, ImageRef
from promoter.model.errors import PromoterError
from promoter.model.naming import Place, Role, Slot, container_labels, promotion_of
from promoter.model.verdict import ReasonCode
from promoter.ports import Clock, Container, ContainerSpec, Engine, FileContent, Probes, Secrets

KILLED = 137
"""The exit code of a process that the engine ended with SIGKILL."""


@dataclass(frozen=True)
class Order:
    """One service to be put in place."""

    place: Place
    service: str
    config: Service
    image: ImageRef
    release: str
    promotion: str
    files: tuple[FileContent, ...]
    proof: Proof

    def spec(self, name: str, role: Role) -> ContainerSpec:
        labels = container_labels(self.place, self.service, self.release, str(self.image.digest), self.promotion, role)
        candidate = role is Role.CANDIDATE
        config = without_aliases(self.config) if candidate else _reachable_by_name(self.config, self.service)
        return ContainerSpec(name, self.image, config, labels, self.files, publish=not candidate, ephemeral_ports=candidate)


@dataclass(frozen=True)
class Swapped:
    """One replica in its place. `gap` is how long the slot served nothing, in seconds; None when it was empty before."""

    container: str
    digest: Digest
    health: str
    gap: float | None
    late: str | None = None
    """That the earlier container did not end in time, with what to do about it."""


def unheard(container: str, config: Service, seconds: float) -> str | None:
    """Of a container that the engine had to kill: what that cost, and the remedy. None when it was given no time."""
    if seconds < 1:
        return None
    remedy = (
        "let its program end on SIGTERM" if config.init else "add `init: true` to the service, or let its program end on SIGTERM"
    )
    return f"{container} did not end within {seconds:.0f}s of its stop signal and was killed: {remedy}"


def without_aliases(service: Service) -> Service:
    """The same service, reachable by no name that others use."""
    networks = {name: attachment.model_copy(update={"aliases": ()}) for name, attachment in service.networks.items()}
    return service.model_copy(update={"networks": networks, "container_name": None, "hostname": None})


def _reachable_by_name(service: Service, name: str) -> Service:
    """The same service, with its own name as an alias on each of its networks."""
    networks = {
        network: place if name in place.aliases else place.model_copy(update={"aliases": (*place.aliases, name)})
        for network, place in service.networks.items()
    }
    return service.model_copy(update={"networks": networks})


class Recreate:
    """Puts containers into slots of one engine, and puts them back."""

    def __init__(self, engine: Engine, clock: Clock, patient: Clock, secrets: Secrets, probes: Probes) -> None:
        self._engine, self._clock, self._secrets = engine, clock, secrets
        self._examiner = Examiner(engine, clock, secrets, probes)
        self._patient_examiner = Examiner(engine, patient, secrets, None)  # probes end with an interruption
        self._stopped: dict[str, float] = {}

    def swap(self, order: Order, slot: Slot) -> Swapped:
        """Safe to repeat: what this promotion has done already is found and not done again."""
        try:
            return self._swap(order, slot)
        except PromoterError as error:
            if error.exit_code == 130 or error.reason_code is ReasonCode.LOCK_HELD:
                raise
            raise of_error(error, ReasonCode.START_FAILED) from error

    def _swap(self, order: Order, slot: Slot) -> Swapped:
        ours = self._made_by(order.promotion, slot.next) or self._made_by(order.promotion, slot.name)
        if ours is None:
            if order.config.trial:
                self._try(order, slot)
            self._drop(slot.next)
            ours_id = self._engine.create(order.spec(slot.next, Role.LIVE), self._secrets)
        else:
            ours_id = ours.id
        old = None
        if ours is None or ours.name == slot.next:
            old = self._step_aside(slot)
            self._engine.rename(ours_id, slot.name)
        late = self._stop(slot, old or self._engine.inspect(slot.previous), order.config)
        self._engine.start(ours_id)
        health = self._examiner.prove(ours_id, order.config, order.proof)
        return Swapped(ours_id, self._read_back(ours_id, order), health, self.gap(slot), late)

    def restore(self, order: Order, slot: Slot) -> Container | None:
        """Takes away what this promotion put into the slot, and puts back and proves what was there before.

        None when there was nothing before. Raises StepFailure when the earlier one does not come up healthy.
        """
        for name in (slot.trial, slot.next, slot.name):
            if self._made_by(order.promotion, name):
                self._drop(name)
        if self._engine.inspect(slot.name) is None and self._engine.inspect(slot.previous) is not None:
            self._engine.rename(slot.previous, slot.name)
        if self._engine.inspect(slot.previous) is None and self._engine.inspect(slot.older) is not None:
            self._engine.rename(slot.older, slot.previous)
        earlier = self._engine.inspect(slot.name)
        if earlier is None:
            return None
        if not earlier.running and order.proof is Proof.SERVING:
            self._engine.start(earlier.id)
            self._patient_examiner.prove(earlier.id, order.config, order.proof)
        return self._engine.inspect(earlier.id)

    def gap(self, slot: Slot) -> float | None:
        """Seconds since the slot's container was stopped; None when nothing ran there."""
        stopped = self._stopped.get(slot.name)
        return None if stopped is None else self._clock.monotonic() - stopped

    def _made_by(self, promotion: str, name: str) -> Container | None:
        found = self._engine.inspect(name)
        return found if found is not None and promotion_of(found.labels) == promotion else None

    def _step_aside(self, slot: Slot) -> Container | None:
        """Moves what is in the slot aside; returns what must be stopped."""
        old = self._engine.inspect(slot.name)
        if old is None:
            return None
        if self._engine.inspect(slot.previous) is not None:
            self._drop(slot.older)
            self._engine.rename(slot.previous, slot.older)
        self._engine.rename(old.id, slot.previous)
        return old

    def _stop(self, slot: Slot, old: Container | None, config: Service) -> str | None:
        if old is None or not old.running:
            return None
        began = self._stopped[slot.name] = self._clock.monotonic()
        self._engine.stop(old.id, None)
        stopped = self._engine.inspect(old.id)
        killed = stopped is not None and stopped.exit_code == KILLED
        return unheard(slot.name, config, self._clock.monotonic() - began) if killed else None

    def _try(self, order: Order, slot: Slot) -> None:
        """The new image proves its health beside the old, on ports of its own, before the old stops."""
        self._drop(slot.trial)
        trial = self._engine.create(order.spec(slot.trial, Role.CANDIDATE), self._secrets)
        try:
            self._engine.start(trial)
            self._examiner.prove(trial, order.config, order.proof)
        finally:
            self._engine.remove(trial)

    def _read_back(self, container: str, order: Order) -> Digest:
        """The digest that the running container shows must be the recorded one."""
        seen = self._engine.digest_of(container, order.image.repository, order.image.digest)
        if seen != order.image.digest:
            raise StepFailure(
                ReasonCode.DIGEST_MISMATCH,
                (f"{order.service} should run {order.image.digest}, but its container shows {seen or 'no digest'}",),
            )
        return seen

    def _drop(self, name: str) -> None:
        if (found := self._engine.inspect(name)) is not None:
            self._engine.remove(found.id)
