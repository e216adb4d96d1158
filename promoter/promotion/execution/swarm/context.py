"""The data that the steps of a promotion to a swarm use."""

from dataclasses import field
from datetime import timedelta

from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.dataclass import dataclass
from promoter.model.labels import Role
from promoter.pipeline.compose.service import Service
from promoter.pipeline.model import Environment
from promoter.promotion import progress
from promoter.promotion.execution.fencing import FencedRuntime
from promoter.promotion.execution.health import DEFAULT_STEADY
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.steps.context import PromotionContext, earlier_jobs
from promoter.promotion.execution.swarm.convergence import Convergence
from promoter.promotion.execution.swarm.fencing import FencedCluster
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.container import ContainerSpec


@dataclass
class SwarmContext(PromotionContext):
    """A promotion to a swarm."""

    cluster: FencedCluster = field(kw_only=True)

    @property
    def runtime(self) -> FencedRuntime:
        return self.cluster

    def convergence(self) -> Convergence:
        """Return what waits for a service of this promotion."""
        return Convergence(self.cluster, self.ports.clock, self.ports.secrets, timeout_of(self.environment))

    def spec(self, service: str) -> ContainerSpec:
        return service_spec(self.job, service)


def service_spec(job: Execution, service: str) -> ContainerSpec:
    """Return the service that a plan asks for."""
    return job.order(service).spec(job.slots(service)[0].name, Role.LIVE)


def steady_of(service: Service) -> timedelta:
    """Return how long the tasks must run before they count: with a healthcheck, a task runs only when it is healthy."""
    check = service.healthcheck
    if check is not None and check.test is not None and not check.disable and check.test != ("NONE",):
        return timedelta(0)
    return service.steady or DEFAULT_STEADY


def timeout_of(environment: Environment) -> timedelta:
    assert environment.swarm is not None
    return environment.swarm.timeout


def open_swarm(ports: Ports, ledger: Ledger, emit: progress.Listener, job: Execution, hold: HeldLease) -> SwarmContext:
    """Return the context of the steps in the swarm of an environment."""
    cluster = FencedCluster(ports.cluster(job.plan.environment.hosts[0].managers), hold.check)
    jobs = earlier_jobs(job)
    return SwarmContext(ports, ledger, emit, job, hold, job.resumed, irreversible=jobs, cluster=cluster)
