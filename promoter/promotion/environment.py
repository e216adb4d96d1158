"""One environment of one run: everything that a promotion to it uses, and how its result is made."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from promoter.ledger.ledger import Ledger
from promoter.ledger.state import EnvironmentState
from promoter.model.dataclass import dataclass
from promoter.model.labels import Namespace
from promoter.model.verdict import Outcome, ReasonCode
from promoter.pipeline.loader_port import Loaded
from promoter.promotion import progress
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.admission.result import Admission
from promoter.promotion.inspection.current import is_current
from promoter.promotion.inspection.host_faults import faults_on_hosts
from promoter.promotion.plan import Plan
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.results import EnvironmentResult, Status


@dataclass(frozen=True)
class EnvironmentContext:
    """The environment `name` of a pipeline, with its ledger and the ports of a promotion."""

    file: Loaded
    ports: Ports
    ledger: Ledger
    emit: progress.Listener
    name: str
    options: PromotionOptions

    @cached_property
    def controller(self) -> AdmissionController:
        return AdmissionController(self.file, self.ports, self.ledger, self.name, self.options)

    @property
    def entry(self) -> EnvironmentState:
        """Return the current state of the environment in the ledger."""
        return self.ledger.state.environment(self.name)

    @property
    def namespace(self) -> Namespace:
        return Namespace(self.file.pipeline.name, self.name)

    def runtimes(self, plan: Plan) -> tuple[Runtime, ...]:
        """Return the engine of each host, or the swarm."""
        return tuple(self.ports.at(host) for host in plan.environment.hosts)

    def nothing_to_do(self, plan: Plan) -> bool:
        """Return whether the last promotion here had this release and this plan, and its containers still run."""
        current = self.entry.current
        if current is None or self.entry.start is not None or not is_current(self.entry, plan):
            return False  # finish an interrupted promotion, even if everything seems to be in place
        return not self.faults(plan)

    def faults(self, plan: Plan) -> tuple[str, ...]:
        """Return a sentence for each recorded service that does not serve now; `plan` is that of the recorded deployment."""
        current = self.entry.current
        return () if current is None else faults_on_hosts(self.ports.at, self.namespace, current, plan)

    def show(self, admission: Admission) -> None:
        for one in admission.results:
            self.emit(progress.GateEvaluated(self.name, one.gate, one.verdict))

    def result(
        self,
        status: Status,
        code: ReasonCode,
        *reasons: str | None,
        plan: Plan | None = None,
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        current = self.entry.current
        given = tuple(reason for reason in reasons if reason)
        digest, previous = plan.digest if plan else None, current.release if current else None
        return EnvironmentResult(self.name, status, code, given, digest, previous, details=details or {})

    def not_admitted(self, plan: Plan, admission: Admission) -> EnvironmentResult:
        """Return the result of an admission that was blocked."""
        assert admission.blocking is not None
        status = Status.REFUSED if admission.outcome is Outcome.REFUSED else Status.PENDING
        run = {"run": self.options.run} if self.options.run else {}
        details = {"gates": admission.documents(), **run}
        result = self.result(status, admission.blocking.verdict.code, *admission.reasons, plan=plan, details=details)
        return replace(result, closed=tuple(one for one in admission.results if one.verdict.outcome is not Outcome.PASSED))
