"""The barrier: a release with a job that cannot be undone blocks the way back to the releases before it.

The job may have changed data so that older releases do not work with it. An override passes the barrier, with a reason.
"""

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.ledger.state import Barrier, State
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode, refused
from promoter.pipeline.model import Environment


def barrier_before(state: State, name: str, release: Release) -> Barrier | None:
    """Return the newest barrier between what runs in an environment and an older release; None if there is none.

    A release that was verified there after the job has run is not blocked, and neither is the one that runs there now: it was
    put back when a later promotion failed.
    """
    entry, record = state.environment(name), state.releases.get(release.id)
    if record is None or (entry.current is not None and entry.current.release == release.id):
        return None
    verified = entry.lived.get(release.id) or 0
    found = (one for one in reversed(entry.barriers) if record.seq < one.made_seq and verified < one.seq)
    return next(found, None)


def irreversible(state: State, environment: Environment, release: Release) -> tuple[GateResult, ...]:
    """Return the refusal of a release that is older than a barrier."""
    name, found = environment.name, barrier_before(state, environment.name, release)
    if found is None:
        return ()
    sentence = (
        f"release {release.short_id} is older than {barrier_text(found)} in {name}, so it may not work with the data there; "
        f"promote a newer release, or, if it works with the data, {_way_across(environment, release)}"
    )
    return (GateResult("barrier", refused(ReasonCode.IRREVERSIBLE, sentence), Rule.BARRIER),)


def barrier_text(barrier: Barrier) -> str:
    """Name the release, and the jobs that cannot be undone."""
    jobs = ", ".join(barrier.jobs)
    return f"release {barrier.release[:12]}, which ran {jobs} on {barrier.at:%Y-%m-%d %H:%M} UTC"


def _way_across(environment: Environment, release: Release) -> str:
    if environment.override is not None:
        return f"`promoter override {environment.name} {release.short_id} --reason …` and then the same command"
    return "name people under `override` of the environment: they may pass this with `promoter override`"
