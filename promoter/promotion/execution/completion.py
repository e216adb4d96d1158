"""How one promotion ends: recorded as promoted, or what it touched put back, and recorded as failed or rolled back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from promoter.ledger import facts
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.model import OnFailure
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.checks.runner import Checker
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.job import Execution, Ran
from promoter.promotion.execution.rollback import Earlier, Failed, PutBack, Returned
from promoter.promotion.execution.strategies.recreate import Recreate
from promoter.promotion.outage import outage
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.engine import Engine, EngineIdentity
from promoter.promotion.results import EnvironmentResult, Status


class Ending:
    """Records the facts of one promotion, and answers its failure."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        emit: progress.Listener,
        job: Execution,
        hold: HeldLease,
        engine: FencedEngine,
        recreate: Recreate,
    ) -> None:
        self._ports, self._ledger, self._emit, self._job, self._hold = ports, ledger, emit, job, hold
        self._engine, self._recreate = engine, recreate
        self._begun = ports.clock.monotonic()

    def promoted(self, services: Mapping[str, Sequence[Swapped]], identity: EngineIdentity) -> EnvironmentResult:
        gap = self._gap()
        fact = facts.Promoted(
            **self._named(),
            services=self._running(services),
            gap_ms=_milliseconds(gap),
            duration_ms=_milliseconds(self._ports.clock.monotonic() - self._begun),
            from_release=self._job.previous,
            mend=self._job.mend,
            engine={"fingerprint": identity.fingerprint, "name": identity.name, "version": identity.version},
            rollback=self._job.cause.rollback,
            reason=self._job.cause.reason,
        )
        self.append(fact)
        return self._result(Status.DEPLOYED, ReasonCode.OK, (), gap)

    def failed(self, failure: StepFailure, touched: Sequence[str], *, acted: bool, interrupted: bool) -> EnvironmentResult:
        """Puts back what was touched, unless the file or a repair says to leave it, and records how it ended."""
        self._engine.alive()  # a step that failed because the engine went away has not failed
        job, name = self._job, self._job.plan.environment.name
        leave = job.mend or (job.plan.environment.on_failure is OnFailure.STOP and not interrupted)
        returned = Returned(touched=bool(touched), left=leave)
        if touched and not leave:
            self._hold.check()
            made = Failed(job.place, job.promotion, {service: job.slots(service) for service in touched})
            returned = put_back(self._ports, self._engine, self._recreate, made, job.earlier, self._restoring)
            self._engine.alive()
        reasons = (*failure.reasons, *returned.sentences(name))
        evidence = [e.document() for e in (*failure.evidence, *returned.evidence)]
        body: dict[str, Any] = {
            **self._named(), "reason_code": str(failure.code), "reasons": reasons, "evidence": evidence, "touched": acted,
        }  # fmt: skip
        if returned.restored:
            self.append(facts.RolledBack(**body, to=returned.earlier, services=self._running(returned.services)))
            status = Status.ROLLED_BACK
        else:
            self.append(facts.Failed(**body, left=returned.touched and (returned.left or bool(returned.problems))))
            status = Status.FAILED
        with suppress(PromoterError):  # the next run does it; how this one ended is recorded already
            sweep(self._engine, job.place, self._ports.gone, leased=True)
        gap = self._gap() if returned.touched else None
        return self._result(Status.INTERRUPTED if interrupted else status, failure.code, reasons, gap, {"evidence": evidence})

    def append(self, fact: facts.Payload) -> None:
        """A run that lost the lease records nothing more: others have written since."""
        plan = self._job.plan
        self._ledger.append(fact, plan.environment.name, plan.release.id, lambda _: self._hold.check())

    # ------------------------------------------------------------ parts
    def _gap(self) -> float | None:
        services = self._job.plan.environment.services
        outages = self._recreate.outages
        down = {name: [outages[s.name] for s in self._job.slots(name) if s.name in outages] for name in services}
        return outage(down, services)

    def _running(self, services: Mapping[str, Sequence[Swapped]]) -> dict[str, object]:
        """Each service as read back from its containers, with the times when these were started."""
        return {
            name: {
                "digest": str(swaps[0].digest) if swaps else None,
                "containers": [s.container for s in swaps],
                "started": [s.started for s in swaps],
            }
            for name, swaps in services.items()
        }

    def _result(
        self,
        status: Status,
        code: ReasonCode,
        reasons: tuple[str, ...],
        gap: float | None,
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        took = _milliseconds(self._ports.clock.monotonic() - self._begun)
        plan = self._job.plan
        return EnvironmentResult(
            plan.environment.name, status, code, reasons, plan.digest, self._job.previous, _milliseconds(gap) or 0, took,
            details or {},
        )  # fmt: skip

    def _named(self) -> dict[str, str]:
        return {"plan_digest": self._job.plan.digest, "promotion": self._job.promotion}

    def _restoring(self, service: str) -> None:
        self._emit(progress.Restoring(self._job.plan.environment.name, service))


def put_back(
    ports: Ports, engine: Engine, recreate: Recreate, made: Failed, ran: Ran | None, emit: Callable[[str], None]
) -> Returned:
    """Takes a promotion back, with waits that no interruption ends."""
    lasting = ports.lasting()
    earlier = None if ran is None else _earlier(lasting, engine, ran)
    patient = recreate.lasting(lasting.clock, lasting.probes)
    return PutBack(engine, lasting.clock, ports.secrets, patient, emit).go(made, earlier)


def _earlier(ports: Ports, engine: Engine, ran: Ran) -> Earlier:
    def verify() -> tuple[str, ...]:
        checker, problems = Checker(ports), list[str]()
        for check in ran.job.plan.environment.verify:
            try:
                result = checker.run(check, ran.job.site(engine))
            except (Interrupted, LeaseLost):
                raise
            except PromoterError as error:
                problems.append(f"{check.title()}: {error.message}")
            else:
                problems += [] if result.passed or check.dry_run else [result.sentence]
        return tuple(problems)

    containers = {name: frozenset(running.containers) for name, running in ran.deployment.services.items()}
    job = ran.job
    return Earlier(job.plan.release.id, job.in_order, job.order, job.slots, containers, verify)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
