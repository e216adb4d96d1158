"""The `deploy` of a service in canonical form. `swarm_only.py` names the keys that only a swarm carries out."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from promoter.config.spec import Duration
from promoter.pipeline.compose.host_resources import DeviceRequests
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Labels, Size

MAX_REPLICAS = 1000
"""More containers of one service than a host runs: its network has about as many addresses."""


class Limits(ComposeShape):
    """`cpus` in cores (0: no limit), `memory` in bytes."""

    cpus: float | None = Field(default=None, ge=0)
    memory: Size | None = None
    pids: int | None = None


class Reservations(Limits):
    devices: DeviceRequests = ()


class Resources(ComposeShape):
    limits: Limits = Limits()
    reservations: Reservations = Reservations()


class RestartPolicy(ComposeShape):
    """When a container is restarted. `no` means `none`, `always` means `any`, as in `restart`."""

    condition: Literal["none", "on-failure", "any", "no", "always", "unless-stopped"] = "any"
    max_attempts: int | None = Field(default=None, ge=0)
    delay: Duration | None = None
    window: Duration | None = None


class UpdateConfig(ComposeShape):
    """How a swarm replaces the tasks of a service. `parallelism` 0 is all at once."""

    parallelism: int = Field(default=1, ge=0)
    delay: Duration = timedelta(0)
    failure_action: Literal["pause", "rollback", "continue"] | None = None
    monitor: Duration | None = None
    max_failure_ratio: float = Field(default=0, ge=0, le=1)
    order: Literal["stop-first", "start-first"] = "stop-first"


class Preference(ComposeShape):
    """How a swarm spreads tasks: evenly over the values of the node label `spread`."""

    spread: str


class Placement(ComposeShape):
    """On which hosts the service runs, in an environment with several; or on which nodes of a swarm."""

    constraints: tuple[str, ...] = ()
    preferences: tuple[Preference, ...] = ()
    max_replicas_per_node: int | None = Field(default=None, ge=0)


class Deploy(ComposeShape):
    mode: Literal["replicated", "global"] = "replicated"
    endpoint_mode: Literal["vip", "dnsrr"] = "vip"
    labels: Labels = {}
    update_config: UpdateConfig | None = None
    rollback_config: UpdateConfig | None = None
    placement: Placement = Placement()
    replicas: int | None = Field(default=None, ge=0, le=MAX_REPLICAS)
    resources: Resources = Resources()
    restart_policy: RestartPolicy | None = None
