"""The end of a rollout over several hosts: record what each host runs, or give each changed host its earlier release back."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from promoter.ledger import facts
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.completion import gap_of, milliseconds, running
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.hosts.host_run import HostRun
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.step_runner import append, together
from promoter.promotion.irreversible import sentences
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult, Status

_PARALLEL = 32


class HostsEnding:
    """Records the facts of one rollout, and handles its failure."""

    def __init__(
        self,
        runs: Sequence[HostRun],
        job: Execution,
        ports: Ports,
        ledger: Ledger,
        emit: progress.Listener,
        hold: HeldLease,
    ) -> None:
        self._runs, self._job, self._ports, self._ledger, self._emit, self._hold = runs, job, ports, ledger, emit, hold
        self._started = ports.clock.monotonic()

    def promoted(self) -> EnvironmentResult:
        job, gap = self._job, self._gap()
        fact = facts.Promoted(
            **self._named(),
            services=running(_merged(run.services for run in self._runs if run.active)),
            gap_ms=milliseconds(gap),
            duration_ms=self._took(),
            from_release=job.previous,
            mend=job.mend,
            engine=None,
            rollback=job.cause.rollback,
            reason=job.cause.reason,
            irreversible=self._irreversible(),
            hosts={run.host.name: _record(run) for run in self._runs},
        )
        append(self._runs[0].ctx, fact)
        reasons = tuple(f"{run.host.name} is behind: {run.behind}" for run in self._runs if run.behind is not None)
        found = [(run, "deployed" if run.active else "behind", (run.behind,) if run.behind else ()) for run in self._runs]
        return self._result(Status.DEPLOYED, ReasonCode.OK, reasons, gap, found)

    def failed(self, failure: StepFailure, *, interrupted: bool) -> EnvironmentResult:
        """Undo the changes on each host, side by side, and record how the rollout ended."""
        undone = [run for run in self._runs if run.returned is None]
        together([partial(run.undo, interrupted=interrupted) for run in undone], _PARALLEL)
        changed = [(run, run.returned) for run in self._runs if run.returned is not None and run.returned.touched]
        loud = [(run, returned) for run, returned in changed if returned.left or returned.problems]
        jobs = {title: done for run in self._runs for title, done in run.ctx.irreversible.items()}
        reasons = (*failure.reasons, *self._sentences(), *sentences(jobs))
        evidence = [e.document() for e in (*failure.evidence, *(e for _, r in changed for e in r.evidence))]
        body: dict[str, Any] = {
            **self._named(),
            "reason_code": str(failure.code),
            "reasons": reasons,
            "evidence": evidence,
            "touched": any(run.ctx.acted for run in self._runs),
            "irreversible": self._irreversible(),
        }
        if changed and not loud and self._job.earlier is not None:
            services = running(_merged(returned.services for _, returned in changed))
            back = {run.host.name: {"services": running(returned.services)} for run, returned in changed}
            to = self._job.earlier.deployment.release
            append(self._runs[0].ctx, facts.RolledBack(**body, to=to, services=services, hosts=back))
            status = Status.ROLLED_BACK
        else:
            behind = {run.host.name: {"behind": "; ".join(returned.problems) or "it was left as it is"} for run, returned in loud}
            append(self._runs[0].ctx, facts.Failed(**body, left=bool(loud), hosts=behind or None))
            status = Status.FAILED
        for run in self._runs:
            with suppress(PromoterError, EngineLost):  # the next run removes them; the end of this one is already recorded
                sweep(run.ctx.engine, self._job.namespace, self._ports.gone, leased=True)
        details = {"evidence": evidence, **({"irreversible": titles} if (titles := self._irreversible()) else {})}
        ended = Status.INTERRUPTED if interrupted else status
        return self._result(ended, failure.code, reasons, self._gap(), [(r, _word(r), ()) for r in self._runs], details)

    # ------------------------------------------------------------ parts
    def _sentences(self) -> tuple[str, ...]:
        """Say for each host that was changed what runs there now; what could not be restored comes first."""
        name, found = self._job.plan.environment.name, []
        for run in self._runs:
            returned = run.returned
            if returned is None or not returned.touched:
                continue
            lines = [f"{run.host.name}: {text}" for text in returned.sentences(f"{name} on {run.host.name}")]
            if returned.problems:
                lines.append(f"{run.host.name}: when it answers, `promoter repair {name}` restores it")
            found.append((not (returned.problems or returned.left), lines))
        lines = [line for _, group in sorted(found, key=lambda one: one[0]) for line in group]
        return tuple(lines) or (f"{name} was not changed",)

    def _irreversible(self) -> list[str] | None:
        return list(dict.fromkeys(title for run in self._runs for title in run.ctx.irreversible)) or None

    def _gap(self) -> float | None:
        gaps = [gap for run in self._runs if (gap := gap_of(run.ctx)) is not None]
        return max(gaps, default=None)

    def _took(self) -> int:
        return milliseconds(self._ports.clock.monotonic() - self._started) or 0

    def _named(self) -> dict[str, Any]:
        return {"plan_digest": self._job.plan.digest, "promotion": self._job.promotion}

    def _result(
        self,
        status: Status,
        code: ReasonCode,
        reasons: tuple[str, ...],
        gap: float | None,
        hosts: Sequence[tuple[HostRun, str, tuple[str | None, ...]]],
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        plan, shown = self._job.plan, [{"name": r.host.name, "status": word, "reasons": list(why)} for r, word, why in hosts]
        more = {**(details or {}), "hosts": shown}
        name, gap_ms = plan.environment.name, milliseconds(gap) or 0
        return EnvironmentResult(name, status, code, reasons, plan.digest, self._job.previous, gap_ms, self._took(), more)


def _record(run: HostRun) -> dict[str, object]:
    identity = run.identity
    if run.behind is not None or identity is None:
        return {"behind": run.behind}
    engine = {"fingerprint": identity.fingerprint, "name": identity.name, "version": identity.version}
    return {"engine": engine, "services": running(run.services)}


def _word(run: HostRun) -> str:
    returned = run.returned
    if returned is None or not returned.touched:
        return "unchanged"
    return "left" if returned.left else "not_restored" if returned.problems else "restored"


def _merged(found: Any) -> dict[str, list[Swapped]]:
    merged: dict[str, list[Swapped]] = {}
    for services in found:
        for name, swaps in services.items():
            merged.setdefault(name, []).extend(swaps)
    return merged
