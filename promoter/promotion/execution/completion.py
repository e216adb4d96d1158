"""The end of one promotion: record it as promoted, or undo its changes and record it as failed or rolled back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from promoter.ledger import facts
from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.model import OnFailure
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.checks.runner import Checker
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.job import Execution, Ran
from promoter.promotion.execution.step_runner import append
from promoter.promotion.execution.steps import StepContext
from promoter.promotion.execution.steps.context import PromotionContext
from promoter.promotion.execution.strategies.protocol import Earlier, Failed, Returned, RolloutStrategy
from promoter.promotion.irreversible import sentences
from promoter.promotion.outage import outage
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.container import EngineIdentity
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.results import EnvironmentResult, Status


class Ending:
    """Records the facts of one promotion, and handles its failure."""

    def __init__(
        self, ctx: PromotionContext, undo: Callable[[bool], Returned], gap: Callable[[], float | None] | None = None
    ) -> None:
        """Make the end of a promotion. `undo` undoes the changes.

        `gap` returns the time in which clients got no answer; it is None if that is not measured.
        """
        self._ctx, self._undo, self._gap = ctx, undo, gap
        self._started = ctx.ports.clock.monotonic()

    def promoted(self, services: Mapping[str, Sequence[Swapped]], identity: EngineIdentity) -> EnvironmentResult:
        gap = self._gap() if self._gap is not None else None
        fact = facts.Promoted(
            **self._named(),
            services=running(services),
            gap_ms=milliseconds(gap),
            duration_ms=milliseconds(self._ctx.ports.clock.monotonic() - self._started),
            from_release=self._ctx.job.previous,
            mend=self._ctx.job.mend,
            engine={"fingerprint": identity.fingerprint, "name": identity.name, "version": identity.version},
            rollback=self._ctx.job.cause.rollback,
            reason=self._ctx.job.cause.reason,
            irreversible=self._irreversible(),
        )
        append(self._ctx, fact)
        return self._result(Status.DEPLOYED, ReasonCode.OK, (), gap)

    def failed(self, failure: StepFailure, *, interrupted: bool) -> EnvironmentResult:
        """Undo the changes, unless the file or a repair forbids it, and record how the promotion ended."""
        job, name = self._ctx.job, self._ctx.environment.name
        returned = self._undo(interrupted)
        reasons = (*failure.reasons, *returned.sentences(name), *sentences(self._ctx.irreversible))
        evidence = [e.document() for e in (*failure.evidence, *returned.evidence)]
        body: dict[str, Any] = {
            **self._named(),
            "reason_code": str(failure.code),
            "reasons": reasons,
            "evidence": evidence,
            "touched": self._ctx.acted,
            "irreversible": self._irreversible(),
        }
        if returned.restored:
            append(self._ctx, facts.RolledBack(**body, to=returned.earlier, services=running(returned.services)))
            status = Status.ROLLED_BACK
        else:
            append(self._ctx, facts.Failed(**body, left=returned.touched and (returned.left or bool(returned.problems))))
            status = Status.FAILED
        with suppress(PromoterError):  # the next run removes them; the end of this one is already recorded
            sweep(self._ctx.runtime, job.namespace, self._ctx.ports.gone, leased=True)
        gap = self._gap() if self._gap is not None and returned.touched else None
        details = {"evidence": evidence, **({"irreversible": jobs} if (jobs := self._irreversible()) else {})}
        return self._result(Status.INTERRUPTED if interrupted else status, failure.code, reasons, gap, details)

    # ------------------------------------------------------------ parts
    def _irreversible(self) -> list[str] | None:
        return list(self._ctx.irreversible) or None

    def _result(
        self,
        status: Status,
        code: ReasonCode,
        reasons: tuple[str, ...],
        gap: float | None,
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        took = milliseconds(self._ctx.ports.clock.monotonic() - self._started)
        plan = self._ctx.job.plan
        return EnvironmentResult(
            plan.environment.name,
            status,
            code,
            reasons,
            plan.digest,
            self._ctx.job.previous,
            None if self._gap is None else milliseconds(gap) or 0,
            took,
            details or {},
        )

    def _named(self) -> dict[str, Any]:
        return {"plan_digest": self._ctx.job.plan.digest, "promotion": self._ctx.job.promotion}


def undo(ctx: StepContext, *, interrupted: bool) -> Returned:
    """Undo the changes on one engine, unless the file or a repair forbids it. Raise only LeaseLost or EngineLost."""
    job, touched, retired = ctx.job, ctx.touched, ctx.retired

    def act(restoring: Callable[[str], None]) -> Returned:
        made = Failed(job.namespace, job.promotion, retired | {service: job.slots(service) for service in touched}, ctx.volumes)
        return restore(ctx.ports, ctx.engine, ctx.strategy, made, job.earlier, restoring)

    return undone(ctx, act, touched=bool(touched or retired), interrupted=interrupted)


def undone(
    ctx: PromotionContext, act: Callable[[Callable[[str], None]], Returned], *, touched: bool, interrupted: bool
) -> Returned:
    """Return what `act` restores, unless nothing was touched, or the file or a repair forbids it. Raise as `undo` does."""
    ctx.runtime.alive()  # a step that failed because the engine is gone is not a failed step
    leave = ctx.job.mend or (ctx.environment.on_failure is OnFailure.STOP and not interrupted)
    if leave or not touched:
        return Returned(touched=touched, left=leave)
    ctx.hold.check()
    returned = act(lambda service: ctx.emit(progress.Restoring(ctx.environment.name, service)))
    ctx.runtime.alive()
    return returned


def gap_of(ctx: StepContext) -> float | None:
    """Return how long clients of this engine got no answer, in seconds; None if they always did."""
    services, outages = ctx.environment.services, ctx.strategy.outages
    down = {name: [outages[s.name] for s in ctx.job.slots(name) if s.name in outages] for name in services}
    return outage(down, services)


def running(services: Mapping[str, Sequence[Swapped]]) -> dict[str, object]:
    """Return the record of each service, read from its containers, with their start times."""
    return {
        name: {
            "digest": str(swaps[0].digest) if swaps else None,
            "containers": [s.container for s in swaps],
            "started": [s.started for s in swaps],
        }
        for name, swaps in services.items()
    }


def restore(
    ports: Ports, engine: Engine, strategy: RolloutStrategy, made: Failed, ran: Ran | None, emit: Callable[[str], None]
) -> Returned:
    """Undo a promotion, with waits that cannot be interrupted."""
    uninterruptible = ports.uninterruptible()
    earlier = None if ran is None else _earlier(uninterruptible, engine, ran)
    return strategy.uninterruptible(uninterruptible.clock, uninterruptible.probes).restore(made, earlier, emit)


def _earlier(ports: Ports, engine: Runtime, ran: Ran) -> Earlier:
    def verify() -> tuple[str, ...]:
        return recorded_checks(ports, ran.job, engine)

    containers = {name: frozenset(running.containers) for name, running in ran.deployment.services.items()}
    job = ran.job
    return Earlier(job.plan.release.id, job.in_order, job.order, job.slots, containers, verify)


def recorded_checks(ports: Ports, job: Execution, runtime: Runtime) -> tuple[str, ...]:
    """Repeat the verification of a recorded promotion, and return a sentence for each failed check."""
    checker, problems = Checker(ports), list[str]()
    for check in job.plan.environment.verify:
        try:
            result = checker.run(check, job.site(runtime))
        except (Interrupted, LeaseLost):
            raise
        except PromoterError as error:
            problems.append(f"{check.title()}: {error.message}")
        else:
            problems += [] if result.passed or check.dry_run else [result.sentence]
    return tuple(problems)


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
