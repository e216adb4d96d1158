"""Which services a promotion replaces, and whether requests fail meanwhile. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.pipeline.compose.deploy import Deploy, UpdateConfig
from promoter.pipeline.front import FRONT
from promoter.promotion.plan import Plan
from promoter.promotion.service_digest import service_digest


@dataclass(frozen=True)
class ExpectedGap:
    """The replaced services: `down` do not answer, requests to `wait` wait for at most `longest`, and `none` have no gap."""

    down: tuple[str, ...] = ()
    wait: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    longest: str = ""

    def document(self) -> dict[str, object]:
        return {"down": list(self.down), "wait": list(self.wait), "none": list(self.none), "longest": self.longest or None}


def expected_gap(plan: Plan, before: Mapping[str, Any] | None) -> ExpectedGap:
    """Return what the promotion of `plan` would interrupt. `before` is the recorded plan of what runs; None if nothing does."""
    if before is None:
        return ExpectedGap()
    wanted, front = plan.document(), plan.environment.front
    replaced = [name for name in plan.environment.services if _changed(name, wanted, before)]
    if plan.environment.swarm is not None:
        gaps = [name for name in replaced if _stops_all_tasks(plan.environment.services[name].deploy)]
        return ExpectedGap(tuple(_running(gaps, before)), none=tuple(name for name in replaced if name not in gaps))
    if front is None or FRONT in replaced:
        return ExpectedGap(down=tuple(_running(replaced, before)))
    behind = [name for name in replaced if front.of(name)]
    down = tuple(_running((name for name in replaced if name not in behind), before))
    if front.max_hold is None:
        return ExpectedGap(down, none=tuple(behind))
    return ExpectedGap(down, wait=tuple(behind), longest=format_duration(front.max_hold))


def _changed(service: str, wanted: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return service_digest(wanted, service) != service_digest(before, service)


def _stops_all_tasks(deploy: Deploy) -> bool:
    """Return whether a swarm stops all tasks of a service before it starts new ones."""
    update, replicas = deploy.update_config or UpdateConfig(), 1 if deploy.replicas is None else deploy.replicas
    if update.order == "start-first":
        return False
    return update.parallelism == 0 or (deploy.mode == "replicated" and update.parallelism >= replicas)


def _running(services: Iterable[str], before: Mapping[str, Any]) -> list[str]:
    """Return those that run there now: what is new interrupts nothing."""
    return [name for name in services if name in before.get("services", {})]
