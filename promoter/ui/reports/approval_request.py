"""The case that an approver decides on: what replaces what, what changes, and the gates."""

from promoter.model.diff import format_change
from promoter.model.vote import Vote
from promoter.ui.reports.plan import gate_lines
from promoter.ui.reports.progress_lines import clean, cut_digests
from promoter.ui.reports.status import source
from promoter.ui.reports.table import table
from promoter.ui.reports.view import SHORT, Cell, View
from promoter.usecases.approval_case import ApprovalCase

_MOST = 5
"""Commits, images and changes that are shown on a terminal before a person asks for the details."""


def case(shown: ApprovalCase, view: View, *, brief: bool) -> str:
    """Format the case. `brief` fits a small terminal: what it leaves out is counted, and the details have it."""
    earlier = shown.from_release
    title = f"{shown.pipeline}: deploy release {shown.release.short_id} to {shown.environment}"
    asked = f"{clean(shown.requested_by)}, {view.ago(shown.requested_at)} ago"
    rows: list[tuple[Cell | str, Cell | str]] = [
        ("requested by", asked),
        ("now", f"{earlier.short_id}  {clean(source(earlier))}" if earlier else "nothing runs there"),
        ("new", f"{shown.release.short_id}  {clean(source(shown.release))}"),
        ("rollback", f"returns to {earlier.id[:SHORT]}" if earlier else "to nothing: this is the first release there"),
    ]
    if view.verbose:
        rows += [("plan", shown.plan_digest), ("release", shown.release.id), ("policy", shown.policy_digest)]
    return "\n".join([view.line(title), *view.table(rows), *_details(shown, view, brief=brief)])


def _details(shown: ApprovalCase, view: View, *, brief: bool) -> list[str]:
    most = _MOST if brief else None
    commits = None if shown.commits is None else [clean(line) for line in shown.commits]
    changes = [format_change(change.document()) for change in shown.changes if view.verbose or not _is_image(change.path)]
    lines = _section("commits", ["nothing to compare with"] if commits is None else commits, view, most)
    lines += _section("images", _images(shown, view), view, most)
    lines += _section("configuration", [clean(text if view.verbose else cut_digests(text)) for text in changes], view, most)
    if view.verbose:
        lines += _section("steps", [clean(step) for step in shown.steps], view, None)
        lines += _section("it waited for", [clean(line) for line in shown.waits_for], view, None)
    lines += [view.paint("  gates", "bold"), *gate_lines(shown.gates, "    ", view)]
    return lines + _section("votes", [_vote(vote, view) for vote in shown.votes], view, None)


def _section(title: str, lines: list[str], view: View, most: int | None) -> list[str]:
    """Format a part of the case: at most `most` lines, and the number of those that are left out."""
    count = f" ({len(lines)})" if len(lines) > 1 else ""
    if not lines:
        return [view.paint(f"  {title}: none", "bold")] if view.verbose else []
    found = [
        view.paint(f"  {title}{count}", "bold"),
        *(part for line in lines[:most] for part in view.wrap(line, "      ", "    ")),
    ]
    left = 0 if most is None else len(lines) - most
    return [*found, f"    and {left} more: type d for details"] if left > 0 else found


def _is_image(path: str) -> bool:
    """Return whether the part `images` of the case shows this change already."""
    return path.startswith("images.")


def _images(shown: ApprovalCase, view: View) -> list[str]:
    """Name each image that changes; with `--verbose` each image with its whole digests."""
    if view.verbose:
        rows = [(service, old or "(none)", "->" if old != new else "==", new) for service, old, new in shown.images]
        return table(rows).splitlines() if rows else []
    changed = [(service, _short(old), _short(new)) for service, old, new in shown.images if old != new]
    return [f"{service}  {old} -> {new}" for service, old, new in changed]


def _short(digest: str | None) -> str:
    return "(none)" if digest is None else digest.removeprefix("sha256:")[:SHORT]


def _vote(vote: Vote, view: View) -> str:
    word = {"approve": "approved", "reject": "rejected", "override": "overridden"}.get(vote.decision, vote.decision)
    comment = f": {vote.comment}" if vote.comment else ""
    return clean(f"{word} by {vote.principal} ({vote.grade}), {view.ago(vote.at)} ago{comment}")
