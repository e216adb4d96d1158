"""`promoter explain`: what stands in the way of a release at an environment, and how each part of it opens."""

from datetime import datetime, timedelta

from promoter.model.verdict import Outcome
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.summary import origin
from promoter.usecases.explain import Explanation, Opening

_SIGNS = {Outcome.PASSED: "passed ", Outcome.WAITING: "waiting", Outcome.REFUSED: "refused"}


def explained(told: Explanation, options: str) -> str:
    """`options` are what each command must repeat to mean this pipeline."""
    release = told.release
    lives = ", which lives there" if told.lives_there else ""
    head = f"{told.environment}: release {release.short_id}{origin(release)}{lives}, at {told.at:%Y-%m-%d %H:%M} UTC"
    if told.note:
        head += f"\n  ({clean(told.note)})"
    gates = [line for opening in told.gates for line in _opening(opening, options)]
    return "\n".join([head, *(gates or ["  nothing stands in the way: there are no gates"]), "", _end(told, options)])


def minute(at: datetime) -> str:
    """The first whole minute at or after `at`, in UTC."""
    rounded = at if not (at.second or at.microsecond) else at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return f"{rounded:%Y-%m-%d %H:%M} UTC"


def _opening(opening: Opening, options: str) -> list[str]:
    verdict = opening.result.verdict
    lines = [f"  {_SIGNS[verdict.outcome]}  {clean(opening.result.gate)}: {clean(verdict.sentence)}"]
    if verdict.outcome is Outcome.PASSED:
        return lines
    lines[0] += f" ({verdict.code})"
    if verdict.opens_at is not None:
        lines.append(f"           opens at {minute(verdict.opens_at)}")
    if opening.page is not None:
        who = clean(", ".join(opening.who) or "nobody")
        lines.append(f"           {who} may: review the deployment on {clean(opening.page)}")
        lines.append(f"           then, in that run: {clean(opening.command or '')} {options}".rstrip())
    elif opening.command is not None:
        lines.append(f"           {clean(', '.join(opening.who) or 'nobody')} may: {clean(opening.command)} {options}".rstrip())
    return lines


def _end(told: Explanation, options: str) -> str:
    by_time = f"; the time is right from {minute(told.opens_at)}" if told.opens_at and told.opens_at > told.at else ""
    if told.outcome is Outcome.PASSED:
        what = (
            "nothing to do"
            if told.lives_there
            else f"open: promoter promote {told.release.short_id} --to {told.environment} {options}"
        )
        return what.rstrip()
    return f"{told.outcome} ({told.code}){by_time}"
