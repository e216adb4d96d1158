"""Each event as one line for people, on a terminal and in a log; None for events that only move a progress bar."""

from typing import assert_never

from promoter.model.pattern import pattern
from promoter.model.verdict import Outcome
from promoter.model.visible_text import visible
from promoter.promotion import progress as e

_OUTCOMES = {Outcome.PASSED: "open", Outcome.WAITING: "waits", Outcome.REFUSED: "refused"}
_TAKE_TIME = frozenset({"deployed", "failed", "rolled_back", "interrupted"})
_DIGEST = pattern(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}


def clean(text: str) -> str:
    """Remove control characters and show invisible ones.

    Output of a container or a build must not move a terminal's cursor or change the direction of text.
    """
    return visible(without_control(text))


def without_control(text: str) -> str:
    return text.translate(_CONTROL).replace("\t", "    ")


def cut_digests(text: str) -> str:
    """Shorten digests. The full ones are in the release, the plan and the ledger."""
    return _DIGEST.sub(r"\1…", text)


def seconds(span: float) -> str:
    """`0.3s`, `12s`, `2m05s`."""
    if span < 10:
        return f"{span:.1f}s"
    minutes, rest = divmod(round(span), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def sentence(event: e.Event) -> str | None:
    """Return one line, without a final newline and without control characters."""
    text = _of_release(event)
    return None if text is None else clean(text)


def _of_release(event: e.Event) -> str | None:
    match event:
        case e.BuildStarted():
            return f"{event.service}: building with {event.builder}"
        case e.BuildLine():
            return f"{event.service} | {event.text}"
        case e.BuildDone():
            return f"{event.service}: built in {seconds(event.seconds)}"
        case e.LayerProgress():
            return None
        case e.Pushed():
            return f"{event.service}: {'already in the registry' if event.already else 'pushed'}: {event.image}"
        case e.Pinned():
            return f"{event.service}: {event.reference} is {event.image.digest}"
        case e.ReleaseMade():
            return f"release {event.release.short_id}{' (known already)' if event.known else ''}"
        case e.Notice():
            return event.text
        case _:
            return cut_digests(f"{event.environment}: {_of_environment(event)}")


def _of_environment(
    event: e.GateEvaluated
    | e.PromotionStarted
    | e.StepStarted
    | e.StepNote
    | e.StepDone
    | e.StepFailed
    | e.Restoring
    | e.EnvironmentEnded
    | e.Superseded
    | e.Waiting,
) -> str:
    match event:
        case e.GateEvaluated():
            return f"gate {event.gate}: {_OUTCOMES[event.verdict.outcome]}: {event.verdict.sentence}"
        case e.PromotionStarted():
            return f"{'repairing' if event.repair else 'promoting'} release {event.release.short_id}"
        case e.StepStarted():
            return f"{event.step} …"
        case e.StepNote():
            return f"{event.step}: {event.text}"
        case e.StepDone():
            return f"{event.step}: {'nothing to do' if event.already else f'done in {seconds(event.seconds)}'}"
        case e.StepFailed():
            return f"{event.step}: failed ({event.code}): {'; '.join(event.reasons)}"
        case e.Restoring():
            return f"restoring the previous {event.service}"
        case e.EnvironmentEnded():
            reasons = f": {'; '.join(event.reasons)}" if event.reasons else ""
            after = f" after {seconds(event.seconds)}" if event.status in _TAKE_TIME else ""
            return f"{event.status.replace('_', ' ')}{after}{reasons}"
        case e.Superseded():
            earlier = ", ".join(release[:12] for release in event.earlier)
            return f"release {event.release[:12]} replaces {earlier} in the queue"
        case e.Waiting():
            return f"waiting up to {seconds(event.seconds)} more: {'; '.join(event.reasons)}"
    assert_never(event)
