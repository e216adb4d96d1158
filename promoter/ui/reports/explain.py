"""`promoter explain`: what blocks a release from an environment, and how each gate opens."""

from datetime import datetime, timedelta

from promoter.model.verdict import Outcome
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.summary import origin
from promoter.usecases.explain import Explanation
from promoter.usecases.openings import Opening

_SIGNS = {Outcome.PASSED: "passed ", Outcome.WAITING: "waiting", Outcome.REFUSED: "refused"}


def explained(explanation: Explanation, options: str) -> str:
    """Format an explanation. `options` are appended to each command, to name this pipeline."""
    release = explanation.release
    deployed = ", which runs there" if explanation.lives_there else ""
    named = f"release {release.short_id}{origin(release)}{deployed}"
    head = f"{explanation.environment}: {named}, at {explanation.at:%Y-%m-%d %H:%M} UTC"
    if explanation.note:
        head += f"\n  ({clean(explanation.note)})"
    gates = [line for opening in explanation.gates for line in _opening(opening, options)]
    nothing = "nothing waits" if explanation.lives_there else "nothing blocks it: there are no gates"
    return "\n".join([head, *(gates or [f"  {nothing}"]), "", _end(explanation, options)])


def minute(at: datetime) -> str:
    """Return the first whole minute at or after `at`, in UTC."""
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
        who = clean(", ".join(opening.who) or "no one")
        lines.append(f"           {who} may: review the deployment on {clean(opening.page)}")
        lines.append(f"           then, in that run: {clean(opening.command or '')} {options}".rstrip())
    elif opening.command is not None:
        lines.append(f"           {clean(', '.join(opening.who) or 'no one')} may: {clean(opening.command)} {options}".rstrip())
    return lines


def _end(explanation: Explanation, options: str) -> str:
    by_time = (
        f"; can start at {minute(explanation.opens_at)}" if explanation.opens_at and explanation.opens_at > explanation.at else ""
    )
    if explanation.outcome is Outcome.PASSED:
        what = (
            "nothing to do"
            if explanation.lives_there
            else f"open: promoter promote {explanation.release.short_id} --to {explanation.environment} {options}"
        )
        return what.rstrip()
    return f"{explanation.outcome} ({explanation.code}){by_time}"
