"""All ports of a promotion together. Adapters implement them, and fakes in tests.

Errors: an adapter raises the errors of `promoter.model.errors` and no others.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from promoter.ledger.store import Gone, never_gone
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError
from promoter.pipeline.hosts import Host
from promoter.promotion.ports.builder import Builder
from promoter.promotion.ports.cluster import Cluster
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.registry import Registry
from promoter.promotion.ports.runtime import Runtime
from promoter.promotion.ports.secrets import Secrets


def no_cluster(managers: tuple[str | None, ...]) -> Cluster:
    raise EngineError(f"no swarm can be reached at {', '.join(str(one) for one in managers)}")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """All ports of a promotion. `patient` is a clock whose waits cannot be interrupted: a rollback uses it."""

    clock: Clock
    patient: Clock
    secrets: Secrets
    engine: Callable[[str | None], Engine]
    registry: Registry
    builder: Callable[[Engine], Builder]
    probes: Probes
    gone: Gone = never_gone
    cluster: Callable[[tuple[str | None, ...]], Cluster] = no_cluster
    """Returns the swarm with these managers."""
    insecure: frozenset[str] = frozenset()
    """Registries that may be used without TLS, or with certificates that cannot be verified."""
    patient_probes: Probes | None = None
    """Probes that cannot be interrupted."""

    def at(self, host: Host) -> Runtime:
        """Return what is at a host of an environment: an engine, or a swarm."""
        return self.cluster(host.managers) if host.managers else self.engine(host.engine)

    def uninterruptible(self) -> Self:
        """Return the same ports, with a clock and probes that cannot be interrupted."""
        return replace(self, clock=self.patient, probes=self.patient_probes or self.probes)
