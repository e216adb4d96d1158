"""Settling a promotion that was cut off and will not be carried on: what it put in place is taken back."""

from promoter.carry.fenced import Fenced
from promoter.carry.jobs import sweep
from promoter.carry.putback import Failed, slots_of
from promoter.carry.recreate import Recreate
from promoter.ending import put_back
from promoter.job import Ran
from promoter.journal import Journal
from promoter.lease import Hold
from promoter.model import events
from promoter.model.facts import Kind
from promoter.model.naming import Place, Role, role_of, service_of
from promoter.model.verdict import ReasonCode
from promoter.plan import Plan
from promoter.ports import World
from promoter.state import Start


def settle(world: World, journal: Journal, tell: events.Listener, plan: Plan, start: Start, hold: Hold, ran: Ran | None) -> None:
    """Looks at the engine for what `start`'s promotion created, puts back what was there, and records the ending."""
    name = plan.environment.name
    engine = Fenced(world.engine(plan.environment.engines[0]), hold.check)
    place = Place(plan.pipeline, name)
    sweep(engine, place, world.gone, leased=True)
    problems: tuple[str, ...] = ()
    if not start.mend:
        found = [c for c in engine.find(place.labels) if role_of(c.labels) != Role.JOB]
        recreate = Recreate(engine, world.patient, world.secrets, None, start.at)
        made = Failed(place, start.promotion, slots_of(found, service_of))
        problems = put_back(world, engine, recreate, made, ran, lambda _: None).problems
    reasons = ("an earlier run was cut off here; what it had begun was put back", *problems)
    tell(events.Notice(f"{name}: {reasons[0]}"))
    body = {
        "plan_digest": start.plan_digest, "promotion": start.promotion, "reason_code": str(ReasonCode.INTERRUPTED),
        "reasons": list(reasons), "evidence": [], "touched": True, "left": bool(problems),
    }  # fmt: skip
    journal.record(Kind.FAILED, name, start.release, body, lambda _: hold.check())
