"""The rules that block a release before any gate is evaluated: pins, freezes, vetoes, and newer requests."""

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.ledger.state import EnvironmentState, Hold, State
from promoter.model.release import Release
from promoter.model.verdict import Outcome, ReasonCode, refused, waiting
from promoter.pipeline.model import Environment


def active_holds(state: State, environment: Environment, release: Release) -> tuple[GateResult, ...]:
    """Return the pins, freezes and vetoes that block a release."""
    name, entry, found = environment.name, state.environment(environment.name), []
    if entry.pinned is not None:
        sentence = f"{name} is pinned: {_hold_text(entry.pinned)}; `promoter unpin {name} --reason …` lets releases in"
        found.append(GateResult("pin", waiting(ReasonCode.PINNED, sentence), Rule.PIN))
    if entry.frozen is not None:
        all_of_them = entry.frozen is state.frozen
        what, way_out = ("everything", "") if all_of_them else (name, f" {name}")
        sentence = f"{what} is frozen: {_hold_text(entry.frozen)}; `promoter unfreeze{way_out} --reason …` lets releases in"
        found.append(GateResult("freeze", waiting(ReasonCode.FROZEN, sentence), Rule.FREEZE))
    if (veto := state.veto_of(release.id) or _veto_of_image(state, release)) is not None:
        sentence = f"release {release.short_id} was vetoed: {_hold_text(veto)}; only another release can enter"
        found.append(GateResult("veto", refused(ReasonCode.VETOED, sentence), Rule.VETO))
    return tuple(found)


def newer_instead(state: State, name: str, release: Release, *, explicit: bool) -> tuple[GateResult, ...]:
    """Return a refusal if a later release asked for the environment after this one, or began to enter it.

    A release that has begun or runs there is never superseded. A person who names release and environment (`explicit`) may
    promote an earlier release that did not wait there.
    """
    entry = state.environment(name)
    started = entry.start is not None and entry.start.release == release.id
    lives = entry.current is not None and entry.current.release == release.id
    if started or lives:
        return ()
    later = _later(state, entry, release.id)
    if explicit:
        asked = entry.pending.get(release.id)
        later = [one for one in later if asked is not None and entry.asked[one] > asked]
    if not later:
        return ()
    newer = later[-1][:12]
    sentence = (
        f"release {release.short_id} was superseded in {name} by the newer release {newer}; `promoter promote {newer}` goes on "
        f"with that, `promoter veto {newer} --reason …` unblocks this one"
    )
    return (GateResult("superseded", refused(ReasonCode.SUPERSEDED, sentence), Rule.SUPERSEDED),)


def superseded_by(state: State, name: str, release: Release) -> list[dict[str, object]]:
    """Return the earlier releases that stop waiting when this one asks, as a request records them."""
    entry = state.environment(name)
    return [
        {"release": one, "seq": seq}
        for one, seq in entry.waiting.items()
        if state.is_older(one, release.id) and state.veto_of(one) is None and (entry.start is None or entry.start.release != one)
    ]


def in_the_way_of_rollback(environment: Environment, found: tuple[GateResult, ...]) -> tuple[GateResult, ...]:
    """Return what blocks a rollback: always a veto, a freeze if windows apply to rollbacks, and never a pin."""
    frozen = not environment.rollback.skips("window")
    return tuple(one for one in found if one.verdict.outcome is Outcome.REFUSED or (frozen and one.kind == Rule.FREEZE))


def _later(state: State, entry: EnvironmentState, release: str) -> list[str]:
    return [one for one in state.after(release) if one in entry.asked and state.veto_of(one) is None]


def _veto_of_image(state: State, release: Release) -> Hold | None:
    marks = (state.vetoed.get(str(ref.digest)) for ref in release.images.values())
    return next((mark for mark in marks if mark is not None), None)


def _hold_text(mark: Hold) -> str:
    return f"{mark.reason} ({mark.actor}, {mark.at:%Y-%m-%d %H:%M} UTC)"
