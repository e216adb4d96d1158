"""Compare the record of environments with engine and registry, and record new findings. Nothing else is changed."""

from collections.abc import Sequence
from dataclasses import field, replace
from itertools import islice
from typing import Literal

from promoter.ledger.deployment import Deployment
from promoter.ledger.facts import Drifted
from promoter.ledger.state import EnvironmentState, State
from promoter.model.canonical_json import fingerprint
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, EngineError, InvalidFile, LedgerError
from promoter.model.findings import Finding
from promoter.model.images import Digest
from promoter.model.redaction import redacted
from promoter.promotion import progress
from promoter.promotion.inspection.comparison import NEVER_COMPARED, Comparer, Comparison
from promoter.promotion.inspection.hosts import DEADLINE, side_by_side
from promoter.promotion.inspection.ignore import is_ignored
from promoter.promotion.inspection.record import Record
from promoter.promotion.plan import Plan
from promoter.usecases.context import Context, facts_so_far, require_environment
from promoter.usecases.recorded import read_plan

_TRIES = 3
"""How often an environment is compared that changes meanwhile."""
DRIFT_FOUND = 7
"""The exit code for drift, and for nothing else."""
_KEPT = 20
"""The number of verified promotions whose containers may be kept for a rollback."""
_RECENT = 100
"""The number of the newest releases that may have moved a tag."""
DriftStatus = Literal["in_sync", "drifted", "unknown", "empty"]


@dataclass(frozen=True)
class EnvironmentDrift:
    """The result for one environment. `reasons` are what could not be asked; `ignored` are findings that are left out."""

    name: str
    status: DriftStatus
    release: str | None = None
    findings: tuple[Finding, ...] = ()
    not_compared: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    ignored: tuple[Finding, ...] = ()
    recorded: bool = field(default=False, compare=False)
    """Whether this comparison appended a fact."""

    def document(self) -> dict[str, object]:
        return {
            "name": self.name,
            "status": self.status,
            "release": self.release,
            "findings": [finding.document() for finding in self.findings],
            "not_compared": list(self.not_compared),
            "reasons": list(self.reasons),
            "ignored": [finding.document() for finding in self.ignored],
            "recorded": self.recorded,
        }


@dataclass(frozen=True)
class DriftReport:
    pipeline: str
    environments: tuple[EnvironmentDrift, ...]

    def document(self) -> dict[str, object]:
        return {"pipeline": self.pipeline, "environments": [one.document() for one in self.environments]}

    @property
    def exit_code(self) -> int:
        """Return 7 for drift; else 1 if something could not be asked; else 0."""
        found = {one.status for one in self.environments}
        return DRIFT_FOUND if "drifted" in found else 1 if "unknown" in found else 0


class _Changed(Exception):
    """The environment has changed in the ledger since it was compared."""


def drift(ctx: Context, environment: str | None = None, ignore: Sequence[str] = ()) -> DriftReport:
    """Compare all environments, or one, with what was recorded. Raise CallerError for an unknown name or an empty path."""
    if environment is not None:
        require_environment(ctx, environment)
    patterns = (*ctx.pipeline.drift_ignore, *ignore)
    if not all(pattern.strip() for pattern in patterns):
        raise CallerError("a path to ignore is empty", hint="name a path of the report: --ignore services.web.environment.LEVEL")
    state = facts_so_far(ctx)
    comparer = Comparer(
        ctx.ports.registry,
        ctx.ports.secrets,
        state.salt,
        lambda path, read_only: ctx.loaded.file_digest(path, read_only=read_only),
    )
    names = ctx.pipeline.needs if environment is None else (environment,)
    return DriftReport(ctx.name, tuple(_drift_of(ctx, name, comparer, patterns) for name in names))


def _drift_of(ctx: Context, name: str, comparer: Comparer, ignore: Sequence[str]) -> EnvironmentDrift:
    for _ in range(_TRIES):
        entry = ctx.ledger.refresh().environment(name)
        current = entry.current
        if current is None:
            return EnvironmentDrift(name, "empty")
        if entry.start is not None:
            reason = (
                f"a promotion of release {entry.start.release[:12]} has started and has not ended: compare again after its end"
            )
            return EnvironmentDrift(name, "unknown", current.release, not_compared=("everything",), reasons=(reason,))
        compared = _compared(ctx, name, current, comparer)
        try:
            return _recorded(ctx, entry, _result(name, current, compared, ignore))
        except _Changed:
            continue
    reason = "the environment changed during the comparison: compare again"
    return EnvironmentDrift(name, "unknown", not_compared=("everything",), reasons=(reason,))


def _compared(ctx: Context, name: str, current: Deployment, comparer: Comparer) -> Comparison:
    """Compare each host with what was recorded for it. The findings name their host."""
    if not current.hosts:
        return _compared_on(ctx, name, None, current, comparer)

    def compare(host: str) -> Comparison:
        there = current.on(host)
        return _compared_on(ctx, name, host, there, comparer) if there is not None else Comparison()

    found = Comparison()
    compared = side_by_side(tuple(current.hosts), compare, DEADLINE)
    for host, one in zip(current.hosts, map(_comparison, compared), strict=True):
        found.findings += [replace(finding, host=host) for finding in one.findings]
        found.not_compared += [f"{host}: {text}" for text in one.not_compared if text not in NEVER_COMPARED]
        found.unknown += [f"{host}: {text}" for text in one.unknown]
    found.not_compared += NEVER_COMPARED
    found.not_compared += [f"{host}: it is behind, so it was compared with its own release" for host in current.behind]
    return found


def _comparison(answer: Comparison | EngineError) -> Comparison:
    if isinstance(answer, EngineError):
        return Comparison(not_compared=["everything"], unknown=[answer.message])
    return answer


def _compared_on(ctx: Context, name: str, host: str | None, current: Deployment, comparer: Comparer) -> Comparison:
    try:
        record = _record(ctx, name, current)
        hosts = [one for one in record.plan.environment.hosts if host is None or one.name == host]
        if not hosts:
            return Comparison(not_compared=["everything"], unknown=["the recorded plan does not have this host"])
        engine = ctx.ports.at(hosts[0])
        record = replace(record, plan=record.plan.on(hosts[0])) if host is not None else record
    except InvalidFile:
        raise
    except (CallerError, EngineError) as error:
        return Comparison(not_compared=["everything"], unknown=[error.message])
    return comparer.compare(record, engine, None if name in ctx.accept_engine else current.engine)


def _record(ctx: Context, name: str, current: Deployment) -> Record:
    state, plan = ctx.ledger.state, read_plan(ctx, name, current)
    verified = (deployment for _, deployment in islice(state.environment(name).verified.backwards(), _KEPT))
    earlier = {one for d in verified for running in d.services.values() for one in running.containers}
    tags = state.releases[current.release].tags
    own = {service: _released_as(state, plan, service, tag) for service, tag in tags.items() if service in plan.release.images}
    return Record(plan, current, frozenset(earlier), tags, own)


def _released_as(state: State, plan: Plan, service: str, tag: str) -> frozenset[Digest]:
    """Return the digests of this service's images under this tag, of every release: a build may move its own tag."""
    repository = plan.release.images[service].repository
    made = (
        record.release.images.get(service)
        for _, record in islice(state.releases.backwards(), _RECENT)
        if record.tags.get(service) == tag
    )
    return frozenset(image.digest for image in made if image is not None and image.repository == repository)


def _result(name: str, current: Deployment, compared: Comparison, ignore: Sequence[str]) -> EnvironmentDrift:
    ignored = tuple(finding for finding in compared.findings if is_ignored(finding, ignore))
    findings = tuple(finding for finding in compared.findings if finding not in ignored)
    status: DriftStatus = "drifted" if findings else "unknown" if compared.unknown else "in_sync"
    notes = tuple(dict.fromkeys(compared.not_compared))
    return EnvironmentDrift(name, status, current.release, findings, notes, tuple(compared.unknown), ignored)


def _recorded(ctx: Context, compared: EnvironmentState, result: EnvironmentDrift) -> EnvironmentDrift:
    """Append the findings, if they are others than the last ones. Raise _Changed if the environment has changed meanwhile."""
    findings = redacted([finding.document() for finding in result.findings], ctx.ports.secrets.redact)
    digest, current = fingerprint(findings), compared.current
    _require_unchanged(ctx.ledger.refresh().environment(result.name), compared)
    if current is None or result.status == "unknown" or not _is_new(compared, result, digest):
        return result
    fact = Drifted(plan_digest=current.plan_digest, findings=findings)
    try:
        ctx.ledger.append(
            fact,
            result.name,
            current.release,
            guard=lambda state: _require_unchanged(state.environment(result.name), compared),
        )
    except LedgerError as error:
        ctx.emit(progress.Notice(f"{result.name}: the findings could not be recorded: {error.message}"))
        return result
    return replace(result, recorded=True)


def _is_new(entry: EnvironmentState, result: EnvironmentDrift, digest: str) -> bool:
    """Return whether to record the result. A partial one does not replace a complete one: what was not asked has not ended."""
    if entry.drift is None:
        return bool(result.findings)
    return entry.drift.findings != digest and not result.reasons


def _require_unchanged(now: EnvironmentState, compared: EnvironmentState) -> None:
    def mark(entry: EnvironmentState) -> tuple[object, ...]:
        return entry.current, entry.start, entry.drift

    if mark(now) != mark(compared):
        raise _Changed
