"""One promotion to carry out: its plan, and the names of its containers on the engine."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path

from promoter.ledger.deployment import Deployment
from promoter.ledger.facts import BY_ITSELF, Cause
from promoter.model.dataclass import dataclass
from promoter.model.labels import Namespace, Slot
from promoter.model.ownership import owner_labels
from promoter.pipeline.front import FRONT
from promoter.pipeline.hosts import Host
from promoter.promotion.checks.target import CheckTarget
from promoter.promotion.container_spec import ContainerRequest, Fronted, slots_of, volumes_of
from promoter.promotion.inspection.reuse import Reuse
from promoter.promotion.plan import Plan, proof_of, waves
from promoter.promotion.ports.container import FileContent
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.service_files import files_of


@dataclass(frozen=True)
class Execution:
    """One promotion to carry out. `done` has the ids of steps that an earlier, interrupted try has finished."""

    plan: Plan
    promotion: str
    directory: Path
    previous: str | None
    mend: bool = False
    done: frozenset[str] = frozenset()
    cause: Cause = BY_ITSELF
    resumed: bool = False
    """Whether an earlier try of this promotion was interrupted."""
    ledger: str | None = None
    """The digest of the first fact of the ledger that records it."""
    reuse: Mapping[str, Reuse] = field(default_factory=dict)
    earlier: "Ran | None" = None
    """What ran before; None if nothing did."""
    started: datetime | None = None
    earlier_on: Mapping[str, "Ran"] = field(default_factory=dict)
    """What ran before on each host, in an environment with several."""

    def on(self, host: Host) -> "Execution":
        """Return the part of one host, with what ran there before."""
        return replace(self, plan=self.plan.on(host), earlier=self.earlier_on.get(host.name))

    @property
    def namespace(self) -> Namespace:
        return Namespace(self.plan.pipeline, self.plan.environment.name)

    @property
    def in_order(self) -> tuple[str, ...]:
        """Return the services in the order in which they start."""
        return tuple(name for wave in waves(self.plan.environment.services) for name in wave)

    def slots(self, service: str) -> tuple[Slot, ...]:
        return slots_of(self.namespace, self.plan.environment, service)

    def order(self, service: str) -> ContainerRequest:
        environment, image, known = self.plan.environment, self.plan.images[service], self.reuse.get(service, Reuse())
        return ContainerRequest(
            self.namespace,
            service,
            environment.services[service],
            image,
            self.plan.release.id,
            self.promotion,
            self.files(service),
            proof_of(self.plan, service),
            self.ledger,
            known.live,
            known.earlier,
            self._front(service),
            volumes_of(environment, service, owner_labels(self.namespace)),
        )

    def _front(self, service: str) -> Fronted | None:
        """Return the front, if the service is behind it or is the front itself."""
        settings = self.plan.environment.front
        if settings is None or not (service == FRONT or settings.of(service)):
            return None
        behind = dict.fromkeys(route.service for route in settings.routes)
        return Fronted(
            settings, self.slots(FRONT)[0], owner_labels(self.namespace, FRONT), {name: self.slots(name) for name in behind}
        )

    def files(self, service: str) -> tuple[FileContent, ...]:
        return files_of(self.plan, service)

    def site(self, engine: Runtime) -> CheckTarget:
        """Return the target of this promotion's checks."""
        plan = self.plan
        return CheckTarget(
            self.namespace,
            plan.release,
            plan.images,
            self.promotion,
            plan.environment.services,
            self.files,
            self.directory,
            engine,
            volumes=lambda service: volumes_of(plan.environment, service, owner_labels(self.namespace)),
        )


@dataclass(frozen=True)
class Ran:
    """What ran before a promotion: the recorded deployment, and how it was promoted."""

    deployment: Deployment
    job: Execution
