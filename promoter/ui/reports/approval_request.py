"""The case that an approver decides on: what would come, in place of what, what changes, and who has voted."""

from promoter.gates.evaluate import GateResult
from promoter.model.diff import say_change
from promoter.model.vote import Vote
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.ui.reports.summary import origin
from promoter.ui.reports.table import table
from promoter.usecases.approve import ApprovalCase


def case(told: ApprovalCase) -> str:
    """The whole case; a part of which nothing is known says so."""
    running = f"release {told.from_release.short_id}{origin(told.from_release)}" if told.from_release else "nothing"
    head = [
        f"{told.pipeline}: release {told.release.short_id}{origin(told.release)} asks to enter {told.environment}",
        f"  in place of   {running}",
        f"  asked for by  {clean(told.requested_by)}, {when(told.requested_at)}",
        f"  plan          {told.plan_digest}",
    ]
    parts = ["\n".join(head), _section("images", _images(told))]
    if told.commits is None:
        parts.append("commits: nothing to compare with")
    else:
        parts.append(_section("commits", [clean(line) for line in told.commits]))
    parts.append(_section("changed configuration", [clean(say_change(one.document())) for one in told.changes]))
    parts.append(_section("steps", list(told.steps)))
    parts.append(_section("waits for", [clean(line) for line in told.waits_for]))
    parts.append(_section("gates now", [_gate(one) for one in told.gates]))
    back = f"release {told.from_release.short_id}" if told.from_release else "nothing: this is the first release there"
    parts.append(f"a rollback would return to: {back}")
    parts.append(_section("votes", [_vote(vote) for vote in told.votes]))
    return "\n\n".join(parts)


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else f"{title}: none"


def _images(told: ApprovalCase) -> list[str]:
    rows = [(service, old or "(none)", "->" if old != new else "==", new) for service, old, new in told.images]
    return table(rows).splitlines() if rows else []


def _gate(one: GateResult) -> str:
    return clean(f"{one.gate}: {one.verdict.outcome}, {one.verdict.sentence}")


def _vote(vote: Vote) -> str:
    return clean(
        f"{vote.decision} by {vote.principal} ({vote.grade}), {when(vote.at)}" + (f": {vote.comment}" if vote.comment else "")
    )
