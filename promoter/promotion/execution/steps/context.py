"""The data that the steps of one promotion use, and what they have changed so far."""

from collections.abc import Collection, Mapping
from dataclasses import field

from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.dataclass import dataclass
from promoter.model.labels import Slot
from promoter.pipeline.model import Environment
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.fencing import FencedEngine, FencedRuntime
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.strategies.protocol import RolloutStrategy
from promoter.promotion.execution.strategies.registry import strategy_of
from promoter.promotion.irreversible import jobs_of_earlier_try
from promoter.promotion.ports.bundle import Ports


@dataclass
class PromotionContext:
    """A running promotion. Steps of one wave run in threads, and each changes only its own service."""

    ports: Ports
    ledger: Ledger
    emit: progress.Listener
    job: Execution
    hold: HeldLease
    acted: bool
    """Whether anything was done in the environment. True after an interrupted try."""
    swapped: dict[str, list[Swapped]] = field(default_factory=dict)
    """The replicas of each service that was replaced or kept; one for a service of a swarm."""
    touched: list[str] = field(default_factory=list)
    """The services of which a container was changed, in order."""
    irreversible: dict[str, bool] = field(default_factory=dict)
    """The titles of irreversible jobs that this promotion has started, and whether each has finished."""

    @property
    def runtime(self) -> FencedRuntime:
        raise NotImplementedError

    @property
    def environment(self) -> Environment:
        return self.job.plan.environment

    @property
    def host(self) -> str:
        """Return the name of the host; empty for the only one without a name."""
        return self.environment.hosts[0].name

    def guard(self) -> None:
        """Raise Interrupted after a signal, and LeaseLost if another run has the environment."""
        self.ports.clock.check()
        self.hold.check()

    def touch(self, service: str) -> None:
        self.acted = True
        if service not in self.touched:
            self.touched.append(service)

    def note(self, title: str, text: str) -> None:
        self.emit(progress.StepNote(self.environment.name, title, text))

    def remark(self, text: str) -> None:
        """Report what a person should know although the step succeeded."""
        self.emit(progress.Notice(f"{self.environment.name}: {text}"))

    def sweep(self, keep: Collection[str] = ()) -> None:
        """Remove the containers of jobs that have ended, or whose run has ended."""
        sweep(self.runtime, self.job.namespace, self.ports.gone, leased=True, keep=keep)


@dataclass
class StepContext(PromotionContext):
    """A promotion on one engine."""

    engine: FencedEngine = field(kw_only=True)
    strategy: RolloutStrategy = field(kw_only=True)
    retired: dict[str, tuple[Slot, ...]] = field(default_factory=dict)
    """The containers that were stopped or removed because the file has their service no longer."""
    volumes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """The anonymous volumes of those that were removed, by slot and by path. They were kept."""

    @property
    def runtime(self) -> FencedRuntime:
        return self.engine


def open_steps(
    ports: Ports, ledger: Ledger, emit: progress.Listener, job: Execution, hold: HeldLease, engine: FencedEngine
) -> StepContext:
    """Return the context of the steps on one engine."""
    started = job.started or ports.clock.now()
    strategy = strategy_of(job.plan.environment)(engine, ports.clock, ports.secrets, ports.probes, started)
    jobs = earlier_jobs(job)
    return StepContext(ports, ledger, emit, job, hold, job.resumed, irreversible=jobs, engine=engine, strategy=strategy)


def earlier_jobs(job: Execution) -> dict[str, bool]:
    """Return the irreversible jobs that an interrupted try of this promotion has started."""
    return dict(jobs_of_earlier_try(job.plan.document(), job.done)) if job.resumed and not job.mend else {}
