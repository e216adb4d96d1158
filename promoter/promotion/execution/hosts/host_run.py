"""One host of a rollout: carry out steps on its engine, and keep how it ended instead of raising it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from promoter.gates.checks import ContainerCheck
from promoter.model.errors import EngineLost, Interrupted, LeaseLost, PromoterError
from promoter.model.verdict import ReasonCode
from promoter.pipeline.hosts import Host
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.comeback import await_engine, settle
from promoter.promotion.execution.completion import undo
from promoter.promotion.execution.confirmation import confirm
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.preparation import prepare
from promoter.promotion.execution.step_runner import run_steps
from promoter.promotion.execution.steps.context import StepContext, open_steps
from promoter.promotion.execution.strategies.protocol import Returned
from promoter.promotion.ports.container import EngineIdentity
from promoter.promotion.reconnect import AWAY
from promoter.promotion.steps import Before, Pull, Replace, Step, Verify


class HostRun:
    """A host, what was done there, and why it failed. Several run in threads, each with its own instance."""

    def __init__(self, host: Host, ctx: StepContext) -> None:
        self.host, self.ctx = host, ctx
        self.failure: StepFailure | None = None
        self.behind: str | None = None
        """Why this host does not get the release."""
        self.returned: Returned | None = None
        """The result of undoing the promotion on this host."""
        self.identity: EngineIdentity | None = None
        self.services: Mapping[str, Sequence[Swapped]] = {}
        self._ran: list[Step] = []
        self._prepared = False

    @property
    def active(self) -> bool:
        """Return whether the host is still to get the release."""
        return self.failure is None and self.behind is None

    def advance(self, steps: Sequence[Step]) -> None:
        """Carry out steps. Raise only Interrupted or LeaseLost; any other failure is kept."""
        mine = [step for step in steps if self._concerns_host(step)]

        def act() -> None:
            run_steps(self.ctx, mine)
            self._ran += mine

        self._kept(act)

    def finish(self) -> None:
        """Check every service once more, and read back what runs. Raise as `advance` does."""

        def act() -> None:
            self.services, self.identity = confirm(self.ctx), self.ctx.engine.alive()

        self._kept(act)

    def undo(self, *, interrupted: bool = False) -> None:
        """Give the host back what ran there before. Raise only LeaseLost."""
        try:
            self.returned = undo(self.ctx, interrupted=interrupted)
        except EngineLost as lost:
            touched = bool(self.ctx.touched or self.ctx.retired)
            problem = f"{self.host.shown} does not answer: {lost.error.message}"
            self.returned = Returned(touched, problems=(problem,) if touched else ())

    # ------------------------------------------------------------ parts
    def _concerns_host(self, step: Step) -> bool:
        """Return whether the service of this step runs on this host."""
        services, environment = self.ctx.environment.services, self.ctx.environment
        if isinstance(step, Pull | Replace):
            return step.service in services
        check = environment.verify[step.index] if isinstance(step, Verify) else None
        return not isinstance(check, ContainerCheck) or check.service in services

    def _kept(self, act: Callable[[], None]) -> None:
        try:
            self._outlasting(act)
        except StepFailure as failure:
            self.failure = failure
        except EngineLost as lost:
            self.failure = StepFailure(ReasonCode.HOST_UNREACHABLE, (lost.error.message,))
        except (Interrupted, LeaseLost):
            raise
        except PromoterError as error:
            self.failure = of_error(error, ReasonCode.START_FAILED)

    def _outlasting(self, act: Callable[[], None]) -> None:
        """Call `act`. If the engine is lost and comes back, do everything on this host again: what was done is found and kept."""
        ends = None
        while True:
            try:
                if not self._prepared:
                    prepare(self.ctx)
                    run_steps(self.ctx, [step for step in self._ran if isinstance(step, Pull | Replace)])
                    self._prepared = True
                act()
            except EngineLost:
                clock = self.ctx.ports.clock
                ends = ends or clock.monotonic() + AWAY
                back = await_engine(self.ctx.engine, clock, ends)
                if back is None:
                    raise
                settle(self.ctx.engine, self.ctx.job.namespace, back)
                self._begin_again()
            else:
                return

    def _begin_again(self) -> None:
        """Forget what was proven: the containers may have been stopped meanwhile."""
        old, self._prepared = self.ctx, False
        done = old.job.done | {step.id for step in self._ran if isinstance(step, Before)}
        job = replace(old.job, resumed=True, done=done)
        self.ctx = open_steps(old.ports, old.ledger, old.emit, job, old.hold, old.engine)
        self.ctx.touched += old.touched
        self.ctx.retired.update(old.retired)
        self.ctx.volumes.update(old.volumes)
        self.ctx.irreversible.update(old.irreversible)
