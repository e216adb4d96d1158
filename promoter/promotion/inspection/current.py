"""The state of one environment in ledger and engine: the id of the next promotion, and whether there is anything to do."""

from promoter.ledger.deployment import Deployment
from promoter.ledger.state import EnvironmentState, State
from promoter.model.canonical_json import fingerprint
from promoter.model.labels import Namespace
from promoter.model.release import Release
from promoter.promotion.inspection.cluster import changed_services
from promoter.promotion.inspection.front import front_findings, front_states
from promoter.promotion.inspection.record import Record, replicas_of
from promoter.promotion.plan import Plan, proof_of
from promoter.promotion.ports.container import Container
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.steps import Proof


def is_current(entry: EnvironmentState, plan: Plan) -> bool:
    """Return whether the last promotion recorded here has this release and this plan."""
    current = entry.current
    return current is not None and (current.release, current.plan_digest) == (plan.release.id, plan.digest)


def promotion_id(state: State, plan: Plan) -> str:
    """Return the promotion's id. It stays the same when an interrupted promotion is resumed, and changes after each end.

    A deployment that is repaired keeps its id, so that its containers are recognised. Two ledgers never have the same id, so
    a container of one is never mistaken for a container of the other.
    """
    entry = state.environment(plan.environment.name)
    if entry.current is not None and is_current(entry, plan):
        return entry.current.promotion
    what = [state.chain, plan.environment.name, plan.release.id, plan.digest, entry.ended_seq]
    return fingerprint(what).removeprefix("sha256:")[:16]


def has_newer(state: State, entry: EnvironmentState, release: Release) -> bool:
    """Return whether this release was verified here before, and a release that was made later runs here now."""
    current = entry.current
    if current is None or current.release == release.id:
        return False
    return release.id in entry.lived and state.is_older(release.id, current.release)


def faults(engine: Runtime, namespace: Namespace, current: Deployment, plan: Plan) -> tuple[str, ...]:
    """Return a sentence for each recorded service that does not serve, or has not completed if that is its purpose.

    A service behind a front that sends its requests elsewhere does not serve.
    """
    completing = {name for name in plan.environment.services if proof_of(plan, name) is Proof.COMPLETED}
    labelled = engine.find(namespace.labels)
    found = {container.id: container for container in labelled}
    described = (
        (service, fault(found.get(container), completes=service in completing))
        for service, running in current.services.items()
        for container in running.containers
    )
    down = dict.fromkeys(f"{service} is {why}" for service, why in described if why)
    record = Record(plan, current)
    return tuple(down) or changed_services(engine, record) or _misdirected(engine, record, labelled)


def _misdirected(engine: Runtime, record: Record, labelled: tuple[Container, ...]) -> tuple[str, ...]:
    if record.plan.environment.front is None:
        return ()
    replicas = replicas_of(record, labelled, {})
    known = front_states(engine, replicas)
    found = () if known is None else front_findings(record, replicas, known)
    return tuple(f"{one.service}: expected that {one.expected}, found that {one.found}" for one in found)


def fault(seen: Container | None, *, completes: bool) -> str | None:
    """Return why a recorded container does not serve. `completes`: it does if it has completed its work."""
    if seen is None:
        return "missing"
    if seen.shortfall:
        return f"degraded ({seen.shortfall})"
    if not seen.running and not (completes and seen.exit_code == 0):
        return f"stopped (exit code {seen.exit_code})"
    return "unhealthy" if seen.health == "unhealthy" else None
