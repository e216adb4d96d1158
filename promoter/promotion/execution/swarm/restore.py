"""Return every service that a failed promotion changed to what is recorded, as one unit.

The swarm's own rollback is not used: it knows one service and one step back, and reports success.
"""

from collections.abc import Callable
from functools import partial

from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.model.ownership import owner_labels
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.completion import recorded_checks
from promoter.promotion.execution.failure import Evidence, StepFailure
from promoter.promotion.execution.job import Execution, Ran
from promoter.promotion.execution.strategies.protocol import Returned
from promoter.promotion.execution.swarm.context import service_spec, steady_of, timeout_of
from promoter.promotion.execution.swarm.convergence import Convergence
from promoter.promotion.execution.swarm.fencing import FencedCluster
from promoter.promotion.ports.bundle import Ports


class SwarmRestoring:
    """Undoes one failed promotion. It continues after errors, and reports them. The clock of `ports` cannot be interrupted."""

    def __init__(self, ports: Ports, cluster: FencedCluster, failed: str, emit: Callable[[str], None]) -> None:
        self._ports, self._cluster, self._failed, self._emit = ports, cluster, failed, emit
        self._problems: list[str] = []
        self._evidence: list[Evidence] = []

    def go(self, touched: dict[str, str], ran: Ran | None) -> Returned:
        """Undo the promotion. `touched` has the names of the services that it changed. Raise only LeaseLost or EngineLost."""
        recorded = ran.job if ran is not None and ran.job.plan.environment.swarm is not None else None
        known = [name for name in recorded.in_order if name in ran.deployment.services] if recorded and ran else []
        for service in reversed(tuple(touched)):
            if service not in known:
                self._trying(partial(self._cluster.remove, touched[service]))
        services: dict[str, list[Swapped]] = {}
        if recorded is not None and ran is not None:
            for service in known:
                self._trying(partial(self._return, recorded, service, changed=service in touched))
            for service in known:
                self._trying(partial(self._prove, recorded, service, services))
            self._problems += [] if self._problems else recorded_checks(self._ports, recorded, self._cluster)
        earlier = None if recorded is None else recorded.plan.release.id
        return Returned(True, False, services, tuple(self._problems), tuple(self._evidence), earlier)

    # ------------------------------------------------------------ parts
    def _return(self, recorded: Execution, service: str, *, changed: bool) -> None:
        """Return one service that was changed, or removed because the file has it no longer.

        It is as fast as `rollback_config` says; then that is put back too.
        """
        spec = service_spec(recorded, service)
        if not changed and self._cluster.service(spec.name) is not None:
            return
        self._emit(service)
        owner = owner_labels(recorded.namespace)
        self._cluster.ensure_files(spec.files, owner, self._ports.secrets)
        self._cluster.revert(spec, self._failed, self._ports.secrets, quickly=True)
        if recorded.plan.environment.services[service].deploy.rollback_config is not None:
            steady = steady_of(recorded.plan.environment.services[service])
            self._convergence(recorded).wait(spec.name, steady)
            self._cluster.revert(spec, self._failed, self._ports.secrets)

    def _prove(self, recorded: Execution, service: str, services: dict[str, list[Swapped]]) -> None:
        steady = steady_of(recorded.plan.environment.services[service])
        services[service] = [self._convergence(recorded).prove(service_spec(recorded, service), steady)]

    def _convergence(self, recorded: Execution) -> Convergence:
        timeout = timeout_of(recorded.plan.environment)
        return Convergence(self._cluster, self._ports.clock, self._ports.secrets, timeout)

    def _trying(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StepFailure as failure:
            self._problems += failure.reasons
            self._evidence += failure.evidence
        except (LeaseLost, Interrupted):
            raise
        except PromoterError as error:
            self._problems += [error.message, *([error.hint] if error.hint else [])]
