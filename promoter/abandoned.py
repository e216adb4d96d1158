"""Settling a promotion that was cut off and will not be carried on: what it put in place is taken back."""

from promoter.carry.fenced import Fenced
from promoter.carry.health import Proof
from promoter.carry.jobs import sweep
from promoter.carry.putback import put_back
from promoter.carry.recreate import Order, Recreate
from promoter.compose.service import Service
from promoter.journal import Journal
from promoter.lease import Hold
from promoter.model import events
from promoter.model.digest import Digest, ImageRef, Repository
from promoter.model.facts import Kind
from promoter.model.naming import Place, Role, Slot, role_of, service_of
from promoter.model.verdict import ReasonCode
from promoter.plan import Plan
from promoter.ports import World
from promoter.state import Start

_SUFFIXES = ("-next", "-previous", "-older", "-trial")


def settle(world: World, journal: Journal, tell: events.Listener, plan: Plan, start: Start, hold: Hold) -> None:
    """Looks at the engine for what `start`'s promotion made, puts back what was there, and records the ending."""
    name = plan.environment.name
    engine = Fenced(world.engine(plan.environment.engines[0]), hold.check)
    place = Place(plan.pipeline, name)
    sweep(engine, place, world.gone, leased=True)
    slots: dict[str, tuple[Slot, ...]] = {}
    for container in engine.find(place.labels):
        if role_of(container.labels) != Role.JOB:
            service = service_of(container.labels)
            slots[service] = tuple(dict.fromkeys((*slots.get(service, ()), Slot(_base(container.name)))))
    recreate = Recreate(engine, world.patient, world.patient, world.secrets, world.probes)
    if start.mend:
        problems: tuple[str, ...] = ()
    else:
        returned = put_back(recreate, lambda s: _order(place, s, start), lambda s: slots[s], list(slots), lambda _: None)
        problems = returned.problems
    reasons = ("an earlier run was cut off here; what it had begun was put back", *problems)
    tell(events.Notice(f"{name}: {reasons[0]}"))
    body = {
        "plan_digest": start.plan_digest, "promotion": start.promotion, "reason_code": str(ReasonCode.INTERRUPTED),
        "reasons": list(reasons), "evidence": [], "touched": True,
    }  # fmt: skip
    journal.record(Kind.FAILED, name, start.release, body, lambda _: hold.check())


def _base(name: str) -> str:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _order(place: Place, service: str, start: Start) -> Order:
    """Only the names and the promotion matter for putting back; the earlier container knows its own image and health."""
    nothing = ImageRef(Repository("localhost", "unknown"), Digest("0" * 64))
    return Order(place, service, Service(), nothing, start.release, start.promotion, (), Proof.SERVING)
