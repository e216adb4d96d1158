"""The case that an approver decides on: the new release, what it replaces, what changes, and who has voted."""

from promoter.gates.evaluate import GateResult
from promoter.model.diff import format_change
from promoter.model.vote import Vote
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.ui.reports.summary import origin
from promoter.ui.reports.table import table
from promoter.usecases.approval_case import ApprovalCase


def case(shown: ApprovalCase) -> str:
    """Format the whole case, with a line for each part of which nothing is known."""
    running = f"release {shown.from_release.short_id}{origin(shown.from_release)}" if shown.from_release else "nothing"
    head = [
        f"{shown.pipeline}: release {shown.release.short_id}{origin(shown.release)} wants to deploy to {shown.environment}",
        f"  replaces      {running}",
        f"  requested by  {clean(shown.requested_by)}, {when(shown.requested_at)}",
        f"  plan          {shown.plan_digest}",
    ]
    parts = ["\n".join(head), _section("images", _images(shown))]
    if shown.commits is None:
        parts.append("commits: nothing to compare with")
    else:
        parts.append(_section("commits", [clean(line) for line in shown.commits]))
    parts.append(_section("changed configuration", [clean(format_change(one.document())) for one in shown.changes]))
    parts.append(_section("steps", list(shown.steps)))
    parts.append(_section("waits for", [clean(line) for line in shown.waits_for]))
    parts.append(_section("gates now", [_gate(one) for one in shown.gates]))
    back = f"release {shown.from_release.short_id}" if shown.from_release else "nothing: this is the first release there"
    parts.append(f"a rollback would return to: {back}")
    parts.append(_section("votes", [_vote(vote) for vote in shown.votes]))
    return "\n\n".join(parts)


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else f"{title}: none"


def _images(shown: ApprovalCase) -> list[str]:
    rows = [(service, old or "(none)", "->" if old != new else "==", new) for service, old, new in shown.images]
    return table(rows).splitlines() if rows else []


def _gate(one: GateResult) -> str:
    return clean(f"{one.gate}: {one.verdict.outcome}, {one.verdict.sentence}")


def _vote(vote: Vote) -> str:
    return clean(
        f"{vote.decision} by {vote.principal} ({vote.grade}), {when(vote.at)}" + (f": {vote.comment}" if vote.comment else "")
    )
