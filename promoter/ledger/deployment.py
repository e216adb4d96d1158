"""What runs in an environment for a verified promotion, as the ledger recorded it: on one engine, or on several hosts."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime

from promoter.model.dataclass import dataclass


@dataclass(frozen=True)
class Running:
    """One service as it was read back from its containers."""

    digest: str | None
    containers: tuple[str, ...]
    started: tuple[str, ...] = ()
    """When each container was started, by the engine's clock; empty in facts of older versions."""


@dataclass(frozen=True)
class HostDeployment:
    """What runs on one host. `release`, `plan_digest` and `promotion` are empty if nothing was promoted to it yet.

    `behind` is why the host does not have the release of its environment; it is None if it does.
    """

    engine: str | None = None
    services: Mapping[str, Running] = field(default_factory=dict)
    release: str = ""
    plan_digest: str = ""
    promotion: str = ""
    behind: str | None = None


@dataclass(frozen=True)
class Deployment:
    """A verified promotion. `services` are those that run for it now, also after it was restored."""

    environment: str
    release: str
    plan_digest: str
    promotion: str
    at: datetime
    seq: int
    services: Mapping[str, Running]
    mend: bool = False
    rollback: bool = False
    engine: str | None = None
    """Fingerprint of the engine that it runs on; None if it runs on several hosts."""
    hosts: Mapping[str, HostDeployment] = field(default_factory=dict)
    """What runs on each host, by its name; empty for an environment on one engine without a name."""

    @property
    def behind(self) -> dict[str, str]:
        """Return the hosts that do not have this release, and why."""
        return {name: host.behind for name, host in self.hosts.items() if host.behind is not None}

    def on(self, host: str) -> "Deployment | None":
        """Return what runs on one host, which may be of an earlier promotion; None if nothing was promoted to it."""
        if not host:
            return self
        found = self.hosts.get(host)
        if found is None or not found.promotion:
            return None
        return replace(
            self,
            release=found.release,
            plan_digest=found.plan_digest,
            promotion=found.promotion,
            services=found.services,
            engine=found.engine,
            hosts={},
        )
