"""All ports of a promotion together. Adapters implement them, and fakes in tests.

Errors: an adapter raises the errors of `promoter.model.errors` and no others.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from promoter.ledger.store import Gone, never_gone
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.promotion.ports.builder import Builder
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.probes import Probes
from promoter.promotion.ports.registry import Registry
from promoter.promotion.ports.secrets import Secrets


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
    insecure: frozenset[str] = frozenset()
    """Registries that may be used without TLS, or with certificates that cannot be verified."""
    patient_probes: Probes | None = None
    """Probes that cannot be interrupted."""

    def uninterruptible(self) -> Self:
        """Return the same ports, with a clock and probes that cannot be interrupted."""
        return replace(self, clock=self.patient, probes=self.patient_probes or self.probes)
