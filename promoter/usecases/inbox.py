"""What waits for the person who asks: votes, reviews, repairs, and releases whose gates are open."""

from collections.abc import Iterator
from datetime import datetime

from promoter.model.dataclass import dataclass
from promoter.model.verdict import ReasonCode
from promoter.usecases.context import Context
from promoter.usecases.explain import Explanation
from promoter.usecases.openings import ANYONE, reviewers
from promoter.usecases.status import EnvironmentStatus, status


@dataclass(frozen=True)
class InboxItem:
    """One thing that the person can do: why, and the command."""

    environment: str
    release: str | None
    reason_code: str
    reason: str
    command: str
    since: datetime | None = None
    """When the release was requested; only people see it."""

    def document(self) -> dict[str, object]:
        return {
            "environment": self.environment,
            "release": self.release,
            "reason_code": self.reason_code,
            "reason": self.reason,
            "command": self.command,
        }


@dataclass(frozen=True)
class Inbox:
    pipeline: str
    actor: str
    items: tuple[InboxItem, ...]

    def document(self) -> dict[str, object]:
        return {"pipeline": self.pipeline, "actor": self.actor, "items": [item.document() for item in self.items]}


def inbox(ctx: Context) -> Inbox:
    """Return what the actor can do now, in the order of the environments."""
    items = (item for one in status(ctx).environments for item in _items(ctx, one))
    return Inbox(ctx.name, ctx.actor, tuple(items))


def _items(ctx: Context, one: EnvironmentStatus) -> Iterator[InboxItem]:
    running = one.release.id if one.release else None
    if one.next is not None and one.faults:
        yield InboxItem(one.name, running, str(ReasonCode.UNHEALTHY), "; ".join(one.faults), one.next)
    if one.overridden and _is_among(ctx.actor, reviewers(ctx, ctx.ledger.state, one.name)):
        command = f"promoter review {one.name}"
        yield InboxItem(one.name, running, str(ReasonCode.REVIEW_OVERDUE), "; ".join(one.overridden), command)
    if one.waiting is not None and one.waiting.explanation is not None:  # else `status` shows why it could not be evaluated
        yield from _waiting(ctx, one.name, one.waiting.release, one.waiting.explanation)


def _waiting(ctx: Context, name: str, release: str, now: Explanation) -> Iterator[InboxItem]:
    """Yield what the actor can do so that the release enters. If nothing but time or checks is missing, that is `promote`."""
    request = ctx.ledger.state.environment(name).request
    since = request.at if request else None
    for one in now.blocked:
        if one.command and _is_among(ctx.actor, one.who):
            yield InboxItem(name, release, str(one.result.verdict.code), one.result.verdict.sentence, one.command, since)
    if not now.blocked:
        reason = "only checks are missing" if now.closed else "all gates are open"
        yield InboxItem(name, release, str(now.code), reason, now.promote, since)


def _is_among(actor: str, people: tuple[str, ...]) -> bool:
    return people == ANYONE or actor in people
