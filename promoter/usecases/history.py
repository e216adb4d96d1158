"""Read-only use cases: history, releases, differences of environments."""

from collections.abc import Iterator

from promoter.ledger.chain import Fact, Kind, LedgerHead, head_of
from promoter.ledger.consistency import Consistency
from promoter.ledger.deployment import Deployment
from promoter.ledger.ledger import Witnessed
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, LedgerBroken, LedgerError
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.promotion.plan import changes
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment

_FORGED = "the state cache for `status`, `plan` and `explain` did not match the facts and was discarded"


@dataclass(frozen=True)
class LedgerReport:
    """`problem` is None for an intact chain. `note` is about the state cache, which no decision relies on."""

    location: str
    facts: int
    head: str
    problem: str | None
    note: str | None = None
    impossible: tuple[str, ...] = ()
    """Impossible facts of an intact chain, each with the reason. Every command ignores them."""

    @property
    def ok(self) -> bool:
        return self.problem is None and not self.impossible

    def document(self) -> dict[str, object]:
        return {
            "ledger": self.location,
            "ok": self.ok,
            "facts": self.facts,
            "head": self.head,
            "problem": self.problem,
            "note": self.note,
            "impossible": list(self.impossible),
        }


def history(ctx: Context, environment: str | None) -> list[Fact]:
    """Return facts, oldest first; with an environment, only those of it."""
    if environment is not None:
        require_environment(ctx, environment)
    return [fact for fact in ctx.ledger.store.read() if environment in (None, fact.environment)]


def show(ctx: Context, release: str | None) -> dict[str, object]:
    """Return a complete release: images, who made it, where it is and was."""
    chosen = find_release(ctx, release)
    state = ctx.ledger.state
    record = state.releases[chosen.id]
    facts = [fact for fact in ctx.ledger.store.read() if fact.release == chosen.id and fact.kind is not Kind.STEP_DONE]
    environments = [name for name, entry in state.environments.items() if entry.current and entry.current.release == chosen.id]
    return {
        "release": chosen.document(),
        "made_at": stamp(record.at),
        "made_by": record.actor,
        "tags": next((fact.body.get("tags") for fact in facts if fact.kind is Kind.RELEASED), {}),
        "lives_in": environments,
        "facts": [_brief(fact) for fact in facts],
    }


def diff(ctx: Context, left: str, right: str) -> dict[str, object]:
    """Return the differences of two environments: images and configuration."""
    entries = {name: _deployed(ctx, name) for name in (left, right)}
    old, new = (ctx.ledger.state.releases[entries[name].release].release for name in (left, right))
    images = [
        {"service": s, "left": _digest(old, s), "right": _digest(new, s)}
        for s in sorted(old.images.keys() | new.images.keys())
        if _digest(old, s) != _digest(new, s)
    ]
    plans = [ctx.ledger.plan_document(name, entries[name].plan_digest) or {} for name in (left, right)]
    changed = [change.document() for change in changes(*plans) if change.path.partition(".")[0] != "images"]
    return {
        "left": {"environment": left, "release": old.document()},
        "right": {"environment": right, "release": new.document()},
        "commits": _commits_between(ctx, new, old),
        "images": images,
        "changes": changed,
    }


def ledger_verify(ctx: Context) -> LedgerReport:
    """Read the whole chain from its first line, and check each fact against those before it."""
    seen, head, problem = ctx.ledger.witnessed(), LedgerHead(), None
    consistency, impossible, chain = Consistency(), list[str](), ""
    with ctx.ledger.rebuilding() as rebuilt:
        try:
            for fact in ctx.ledger.following(head):
                head = head_of(fact)
                chain = chain or fact.digest
                if (why := consistency.take(fact)) is not None:
                    impossible.append(why)
                rebuilt.take(fact)
        except LedgerBroken as error:
            problem = error.problem
        except LedgerError as error:
            problem = error.message
        problem = problem or _gone_back(ctx, head, seen, chain)
        note = _FORGED if problem is None and rebuilt.differs() else None
    return LedgerReport(ctx.ledger.store.location, head.seq, head.digest, problem, note, tuple(impossible))


def _gone_back(ctx: Context, head: LedgerHead, seen: Witnessed, chain: str) -> str | None:
    """Return a sentence if facts that this machine saw before are missing or changed."""
    try:
        ctx.ledger.never_back(head, seen, chain)
    except LedgerError as error:
        return error.message
    return None


def ledger_lines(ctx: Context) -> Iterator[bytes]:
    """Return the exact lines, as they are hashed."""
    return ctx.ledger.store.lines()


# ------------------------------------------------------------ parts
def _deployed(ctx: Context, name: str) -> Deployment:
    require_environment(ctx, name)
    facts_so_far(ctx)
    current = ctx.ledger.state.environment(name).current
    if current is None:
        raise CallerError(f"nothing runs in {name} yet", hint="`promoter status` shows what is where")
    return current


def _commits_between(ctx: Context, old: Release, new: Release) -> list[str] | None:
    if not old.source.sha or not new.source.sha:
        return None
    found = ctx.ports.source.commits(ctx.pipeline.directory, old.source.sha, new.source.sha)
    return None if found is None else list(found)


def _digest(release: Release, service: str) -> str | None:
    return str(release.images[service].digest) if service in release.images else None


def _brief(fact: Fact) -> dict[str, object]:
    kept = {
        key: fact.body[key] for key in ("reason_code", "principal", "comment", "gap_ms", "duration_ms", "to") if key in fact.body
    }
    return {
        "seq": fact.seq,
        "at": stamp(fact.at),
        "kind": str(fact.kind),
        "environment": fact.environment,
        "actor": fact.actor,
        **kept,
    }
