"""`promoter explain`: what blocks a release from an environment, and how each gate opens."""

from datetime import datetime, timedelta

from promoter.model.verdict import Outcome
from promoter.ui.reports.plan import SIGNS
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.summary import origin
from promoter.ui.reports.view import View
from promoter.usecases.explain import Explanation
from promoter.usecases.openings import Opening


def explained(explanation: Explanation, view: View) -> str:
    """Format an explanation. Each command has the options that it needs for this pipeline."""
    release = explanation.release
    named = f"release {release.short_id}{origin(release)}"
    what = "runs there, nothing waits" if explanation.lives_there else _state(explanation)
    lines = [view.line(f"{explanation.environment}: {named} {what}", f"at {_minute(explanation.at, view)}")]
    if explanation.note:
        lines += view.wrap(f"({clean(explanation.note)})")
    gates = [line for opening in explanation.gates for line in _opening(opening, view)]
    if not gates and not explanation.lives_there:
        gates = ["  nothing blocks it: there are no gates"]
    return "\n".join([*lines, *gates, *_end(explanation, view)])


def _minute(at: datetime, view: View) -> str:
    """Return the first whole minute at or after `at`, in the zone of the view."""
    rounded = at if not (at.second or at.microsecond) else at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return f"{rounded.astimezone(view.zone):%Y-%m-%d %H:%M %Z}"


def _state(explanation: Explanation) -> str:
    match explanation.outcome:
        case Outcome.PASSED:
            return "can be promoted"
        case Outcome.WAITING:
            return f"waits ({explanation.code})"
        case Outcome.REFUSED:
            return f"is refused ({explanation.code})"


def _opening(opening: Opening, view: View) -> list[str]:
    verdict = opening.result.verdict
    sign, style = SIGNS[verdict.outcome]
    code = "" if verdict.outcome is Outcome.PASSED else f" ({verdict.code})"
    first, *more = view.wrap(f"{sign} {clean(opening.result.gate)}: {clean(verdict.sentence)}{code}", "    ", "  ")
    lines = [first.replace(sign, view.paint(sign, style), 1), *more]
    if verdict.outcome is Outcome.PASSED:
        return lines
    if verdict.opens_at is not None:
        lines.append(f"      opens at {_minute(verdict.opens_at, view)}")
    who = clean(", ".join(opening.who) or "no one")
    if opening.page is not None:
        lines += view.wrap(f"{who}: review the deployment on {clean(opening.page)}", "        ", "      ")
        lines.append(f"      then, in that run: {view.command(clean(opening.command or ''))}")
    elif opening.command is not None:
        lines += view.wrap(f"{who}: {view.command(clean(opening.command))}", "        ", "      ")
    return lines


def _end(explanation: Explanation, view: View) -> list[str]:
    if explanation.lives_there:
        return []
    if explanation.outcome is Outcome.PASSED:
        return ["", f"next: {view.command(explanation.promote)}"]
    opens = explanation.opens_at
    return ["", f"can start at {_minute(opens, view)}"] if opens and opens > explanation.at else []
