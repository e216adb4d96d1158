"""The state of one environment in ledger and engine: the id of the next promotion, and whether there is anything to do."""

from promoter.ledger.state import Deployment, EnvironmentState, State
from promoter.model.canonical_json import fingerprint
from promoter.model.labels import Place
from promoter.model.release import Release
from promoter.promotion.plan import Plan, proof_of
from promoter.promotion.ports.engine import Engine
from promoter.promotion.steps import Proof


def lives_here(entry: EnvironmentState, plan: Plan) -> bool:
    """Return whether the last promotion recorded here has this release and this plan."""
    current = entry.current
    return current is not None and (current.release, current.plan_digest) == (plan.release.id, plan.digest)


def promotion_id(state: State, plan: Plan) -> str:
    """Return the promotion's id. It stays the same when an interrupted promotion is resumed, and changes after each end.

    A deployment that is repaired keeps its id, so that its containers are recognised. Two ledgers never have the same id, so
    a container of one is never mistaken for a container of the other.
    """
    entry = state.environment(plan.environment.name)
    if entry.current is not None and lives_here(entry, plan):
        return entry.current.promotion
    what = [state.chain, plan.environment.name, plan.release.id, plan.digest, entry.ended_seq]
    return fingerprint(what).removeprefix("sha256:")[:16]


def has_newer(state: State, entry: EnvironmentState, release: Release) -> bool:
    """Return whether this release was verified here before, and a release that was made later runs here now."""
    current = entry.current
    if current is None or current.release == release.id:
        return False
    return release.id in entry.lived and state.is_older(release.id, current.release)


def still_runs(engine: Engine, place: Place, current: Deployment, plan: Plan) -> bool:
    """Return whether every recorded container exists and serves (or has completed, if that is its purpose)."""
    found = {container.id: container for container in engine.find(place.labels)}
    for service, running in current.services.items():
        completes = service in plan.environment.services and proof_of(plan, service) is Proof.COMPLETED
        for container in running.containers:
            seen = found.get(container)
            if seen is None:
                return False
            if not (seen.running or (completes and seen.exit_code == 0)) or seen.health == "unhealthy":
                return False
    return True
