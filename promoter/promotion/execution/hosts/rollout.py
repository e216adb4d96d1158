"""Carry out one plan on several hosts, batch after batch. All hosts get the release, or each gets its earlier one back.

All hosts are asked before the first one is changed. `before` jobs run once, on the first host.
"""

from collections.abc import Callable, Sequence
from functools import partial

from promoter.gates.checks import ContainerCheck
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineError, EngineLost, Interrupted
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Rollout, batches
from promoter.promotion import progress
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.hosts.ending import HostsEnding
from promoter.promotion.execution.hosts.host_run import HostRun
from promoter.promotion.execution.hosts.labelled import labelled
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.step_runner import together
from promoter.promotion.execution.steps.context import open_steps
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult
from promoter.promotion.steps import Before, Monitor, Pull, Replace, Retire, Step, Verify

PARALLEL = 32
"""The largest number of hosts that are worked on at the same time."""


class HostsRunner:
    """Carries out one plan on the hosts of its environment, under one lease."""

    def __init__(self, ports: Ports, ledger: Ledger, listener: progress.Listener, job: Execution, hold: HeldLease) -> None:
        environment = job.plan.environment
        assert environment.rollout is not None
        self._rollout: Rollout = environment.rollout
        self._job, self._emit, self._ports = job, listener, ports
        self._runs = [
            HostRun(
                host,
                open_steps(
                    ports,
                    ledger,
                    labelled(listener, host.name),
                    job.on(host),
                    hold,
                    FencedEngine(ports.engine(host.engine), hold.check),
                ),
            )
            for host in environment.hosts
        ]
        self._ending = HostsEnding(self._runs, job, ports, ledger, listener, hold)
        self._failures = 0

    def execute(self) -> EnvironmentResult:
        """Carry out and record the plan, or handle and record its failure. Raise only LeaseLost."""
        try:
            self._reach()
            self._advance(self._active, [step for step in self._job.plan.steps if isinstance(step, Pull)])
            self._before()
            self._batches()
            self._advance(self._active, [step for step in self._job.plan.steps if isinstance(step, Retire)])
            self._each(self._active, HostRun.finish)
            return self._ending.promoted()
        except StepFailure as failure:
            return self._ending.failed(failure, interrupted=False)
        except Interrupted:
            return self._ending.failed(StepFailure(ReasonCode.INTERRUPTED, ("the run was interrupted",)), interrupted=True)

    @property
    def _active(self) -> list[HostRun]:
        return [run for run in self._runs if run.active]

    # ------------------------------------------------------------ phases
    def _reach(self) -> None:
        """Ask all engines. Raise StepFailure for those that do not answer, unless the file says to skip them."""

        def ask(run: HostRun) -> None:
            try:
                run.identity = run.ctx.engine.identify()
            except (EngineError, EngineLost) as error:
                run.behind = error.message if isinstance(error, EngineError) else error.error.message

        together([partial(ask, run) for run in self._runs], PARALLEL)
        silent = [f"{run.host.shown} does not answer: {run.behind}" for run in self._runs if run.behind is not None]
        if silent and (self._rollout.unreachable == "fail" or not self._active):
            raise StepFailure(ReasonCode.HOST_UNREACHABLE, (*silent, "no host was changed"))
        for sentence in silent:
            self._notice(f"{sentence}; it is skipped")

    def _before(self) -> None:
        """Run the `before` jobs, and start what they need, on the first host. A failed job is never only one host's failure."""
        steps, first = self._switching(), self._first()
        last = max((index for index, step in enumerate(steps) if isinstance(step, Before)), default=-1)
        first.advance(steps[: last + 1])
        if first.failure is not None:
            raise self._together([first])

    def _batches(self) -> None:
        steps = [step for step in self._switching() if isinstance(step, Replace)]
        hosts, sizes = self._active, list(batches(self._rollout.batches, len(self._active)))
        for number, size in enumerate(sizes, 1):
            batch, hosts = hosts[:size], hosts[size:]
            if len(sizes) > 1:
                self._notice(f"batch {number} of {len(sizes)}: {', '.join(run.host.name for run in batch)}")
            self._each(batch, lambda run: run.advance([s for s in steps if s.service not in run.ctx.swapped]))
            self._verify(batch)
            self._advance(batch, [step for step in self._job.plan.steps if isinstance(step, Monitor)])
            if number == 1 and hosts and self._rollout.bake:
                self._advance(batch, [Monitor(self._rollout.bake.total_seconds())])
                self._verify(batch)

    def _verify(self, batch: Sequence[HostRun]) -> None:
        """Run container checks on each host, and the other checks once: they look at the environment from outside."""
        checks = self._job.plan.environment.verify
        steps = [step for step in self._job.plan.steps if isinstance(step, Verify)]
        self._advance(batch, [step for step in steps if isinstance(checks[step.index], ContainerCheck)])
        once = [step for step in steps if not isinstance(checks[step.index], ContainerCheck)]
        if once and (run := next((run for run in batch if run.active), None)) is not None:
            run.advance(once)
            if run.failure is not None:
                raise self._together([run])

    # ------------------------------------------------------------ parts
    def _first(self) -> HostRun:
        """Return the first host that has the services of all `before` jobs."""
        wanted = {check.service for check in self._job.plan.environment.before if isinstance(check, ContainerCheck)}
        return next((run for run in self._active if wanted <= set(run.ctx.environment.services)), self._active[0])

    def _switching(self) -> list[Step]:
        return [step for step in self._job.plan.steps if isinstance(step, Replace | Before)]

    def _advance(self, runs: Sequence[HostRun], steps: Sequence[Step]) -> None:
        if steps:
            self._each(runs, lambda run: run.advance(steps))

    def _each(self, runs: Sequence[HostRun], act: Callable[[HostRun], None]) -> None:
        """Work on all hosts at the same time. Raise StepFailure if more of them failed than may; undo what failed elsewhere."""
        active = [run for run in runs if run.active]
        if active:
            together([partial(act, run) for run in active], PARALLEL)
        failed = [run for run in active if run.failure is not None]
        self._failures += len(failed)
        if failed and (self._failures > self._rollout.max_failures or not self._active):
            raise self._together(failed)
        for run in failed:
            run.undo()
            run.behind = "; ".join(self._sentences(run))
            self._notice(f"{run.host.name} failed and is behind: {run.behind}")

    def _sentences(self, run: HostRun) -> tuple[str, ...]:
        returned = run.returned.sentences(f"{self._job.plan.environment.name} on {run.host.name}") if run.returned else ()
        return (*(run.failure.reasons if run.failure else ()), *returned)

    def _together(self, failed: Sequence[HostRun]) -> StepFailure:
        found = [(run, run.failure) for run in failed if run.failure is not None]
        reasons = tuple(f"{run.host.name}: {reason}" for run, failure in found for reason in failure.reasons)
        return StepFailure(found[0][1].code, reasons, tuple(e for _, failure in found for e in failure.evidence))

    def _notice(self, text: str) -> None:
        self._emit(progress.Notice(f"{self._job.plan.environment.name}: {text}"))
