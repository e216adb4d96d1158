"""The `deploy` of a service in canonical form, as far as it applies to one engine."""

from typing import Literal

from pydantic import Field

from promoter.pipeline.compose.host_resources import DeviceRequests
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Size

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


class Placement(ComposeShape):
    """On which hosts the service runs, in an environment with several."""

    constraints: tuple[str, ...] = ()


class Deploy(ComposeShape):
    placement: Placement = Placement()
    replicas: int | None = Field(default=None, ge=0, le=MAX_REPLICAS)
    resources: Resources = Resources()
    restart_policy: RestartPolicy | None = None
