"""Jobs: containers that run one command to its end. Each result is recorded exactly once, even if the run is killed.

A job that must not run twice has its own name, and its container stays until its result is recorded. A run that resumes
finds the finished job, waits for a running one, or starts one that was only created.
"""

from collections.abc import Collection
from uuid import uuid4

from promoter.gates.checks import ContainerCheck
from promoter.ledger.store import Gone
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef
from promoter.model.labels import OWNER, ROLE, Namespace, Role, container_labels, owner_of, promotion_of, role_of
from promoter.model.ownership import is_owned, not_ours, owner_labels
from promoter.pipeline.compose.service import Healthcheck
from promoter.promotion.checks.target import CheckTarget
from promoter.promotion.container_spec import without_aliases
from promoter.promotion.lost_image import create
from promoter.promotion.ports.container import Container, ContainerSpec
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets

TAIL = 20


@dataclass(frozen=True)
class JobResult:
    """The result of a job. `code` is None after a timeout. `output` has its last lines, without secrets."""

    code: int | None
    output: str


@dataclass(frozen=True)
class Jobs:
    """Runs jobs."""

    clock: Clock
    secrets: Secrets
    gone: Gone

    def run(self, check: ContainerCheck, site: CheckTarget) -> JobResult:
        sweep(site.engine, site.namespace, self.gone, leased=False)
        spec = _spec(check, site)
        container, kept = self._found(spec, site), False
        if container is None:
            container = create(site.engine, spec, self.secrets)
        try:
            code = self._finish(site.engine, container, check.timeout.total_seconds())
            output = self.secrets.redact(site.engine.logs(container, TAIL)).strip()
            kept = site.once is not None and code is not None
        finally:
            if not kept:
                site.engine.remove(container, volumes=True)
        return JobResult(code, output)

    def _found(self, spec: ContainerSpec, site: CheckTarget) -> str | None:
        """Return the job that an interrupted run left. A container of another promotion with its name is removed."""
        there = site.engine.inspect(spec.name) if site.once is not None else None
        if there is None:
            return None
        if not is_owned(there.labels, owner_labels(site.namespace)) or role_of(there.labels) != Role.JOB:
            raise not_ours("container", spec.name, there.labels, owner_labels(site.namespace))
        if promotion_of(there.labels) == site.promotion:
            return there.id
        site.engine.remove(there.id, volumes=True)
        return None

    def _finish(self, engine: Runtime, container: str, limit: float) -> int | None:
        seen = engine.inspect(container)
        if seen is not None and _has_ended(seen):
            return seen.exit_code
        engine.start(container)
        deadline = self.clock.monotonic() + limit
        while (left := deadline - self.clock.monotonic()) > 0:
            if (code := engine.wait(container, min(left, 1.0))) is not None:
                return code
            self.clock.check()
        return None


def sweep(engine: Runtime, namespace: Namespace, gone: Gone, *, leased: bool, keep: Collection[str] = ()) -> None:
    """Remove jobs that no run waits for, except those named in `keep`.

    These are jobs of processes that are known to have ended. If the caller has the lease, all jobs that were made under an
    earlier lease are removed too.
    """
    for container in engine.find({**namespace.labels, ROLE: Role.JOB}):
        owner = owner_of(container.labels)
        left = leased if owner is None else gone(owner)
        if left and container.name not in keep:
            engine.remove(container.id, volumes=True)


def _has_ended(container: Container) -> bool:
    return container.status in ("exited", "dead")


def _spec(check: ContainerCheck, site: CheckTarget) -> ContainerSpec:
    """Return the service as configured, but alone: no ports, no alias, no restart, no healthcheck, one command."""
    image: ImageRef = site.images[check.service]
    changed: dict[str, object] = {
        "command": check.command,
        "ports": (),
        "restart": None,
        "healthcheck": Healthcheck(test=("NONE",), disable=True),
        "depends_on": {},
    }
    if check.entrypoint is not None:
        changed["entrypoint"] = check.entrypoint
    service = without_aliases(site.services[check.service]).model_copy(update=changed)
    labels = container_labels(site.namespace, check.service, site.release.id, str(image.digest), site.promotion, Role.JOB)
    name = site.once or f"{site.namespace.pipeline}-{site.namespace.environment}-{check.service}-job-{uuid4().hex[:8]}"
    owner = {} if site.owner is None else {OWNER: site.owner}
    return ContainerSpec(
        name, image, service, {**labels, **owner}, site.files(check.service), publish=False, volumes=site.volumes(check.service)
    )
