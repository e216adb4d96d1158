"""Find recorded containers that already match a plan, so that a promotion changes only what is different. Pure.

The ledger decides, not the labels on the engine: a container matches if a verified promotion recorded its id, for the
same image, configuration, files and secrets.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from promoter.ledger.deployment import Deployment
from promoter.ledger.state import EnvironmentState
from promoter.model.dataclass import dataclass
from promoter.promotion.plan import Plan
from promoter.promotion.service_digest import service_digest

SEARCHED_PROMOTIONS = 3
"""The number of verified promotions that are searched for kept containers."""


@dataclass(frozen=True)
class Reuse:
    """Ids of containers: of the running deployment, and of earlier ones."""

    live: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()


def reusable(entry: EnvironmentState, plan: Plan, document: Callable[[str], Mapping[str, Any] | None]) -> dict[str, Reuse]:
    """Return the reusable containers of each service of the plan. `document` returns the recorded plan of a plan digest.

    A service that shares a namespace with another (`network_mode: service:X`) is kept only if that one is kept.
    """
    wanted = plan.document()
    known = [(d, document(d.plan_digest)) for _, d in islice(entry.verified.backwards(), SEARCHED_PROMOTIONS)]
    current = entry.current
    now = None if current is None else (current, document(current.plan_digest))
    found = {}
    for name in plan.environment.services:
        live = _same(name, wanted, now) if now is not None else frozenset[str]()
        earlier = frozenset[str]().union(*(_same(name, wanted, one) for one in known))
        found[name] = Reuse(live, earlier - live)
    return found


def _same(service: str, wanted: Mapping[str, Any], recorded: tuple[Deployment, Mapping[str, Any] | None]) -> frozenset[str]:
    deployment, document = recorded
    running = deployment.services.get(service)
    if running is None or service_digest(document, service) != service_digest(wanted, service):
        return frozenset()
    return frozenset(running.containers)
