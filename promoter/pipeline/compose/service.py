"""A service in canonical form: every Compose key that promoter supports, each in one form.

Short forms become these by `forms.py`, `ports.py` and `mounts.py`; overrides are merged in `merge.py`. Everything is
optional, because an override names only what it changes. Sizes are bytes, times are timedeltas, both printed as
Compose writes them.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from promoter.config.fields import CommandLine, Texts
from promoter.config.spec import Duration
from promoter.pipeline.compose.build import Build, Ulimits
from promoter.pipeline.compose.deploy import Deploy
from promoter.pipeline.compose.host_resources import BlkioConfig, DeviceRules, Gpus, Microseconds
from promoter.pipeline.compose.mounts import LongGrant, LongMount, read_config_grants, read_mounts, read_secret_grants
from promoter.pipeline.compose.ports import read_ports
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import (
    DistinctTexts,
    Expose,
    Hosts,
    Labels,
    Restart,
    Size,
    Test,
    Variables,
    names_to_maps,
    read_devices,
)


class Port(ComposeShape):
    """A published port. `published` is None if the engine chooses the port."""

    target: int = Field(ge=1, le=65535)
    published: int | None = Field(default=None, ge=1, le=65535)
    host_ip: str | None = None
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    mode: Literal["ingress", "host"] = "ingress"
    name: str | None = None
    app_protocol: str | None = None


class Mount(ComposeShape):
    """A mount. `source` is a host path (bind), a volume's name (volume; None if anonymous) or None (tmpfs)."""

    type: Literal["bind", "volume", "tmpfs"]
    source: str | None = None
    target: str
    read_only: bool = False
    propagation: str | None = None
    create_host_path: bool = True
    selinux: Literal["z", "Z"] | None = None
    recursive: Literal["enabled", "disabled", "writable", "readonly"] | None = None
    nocopy: bool = False
    subpath: str | None = None
    labels: Labels = {}
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


class Healthcheck(ComposeShape):
    """A health check. `test` is `("CMD", …)`, `("CMD-SHELL", line)` or `("NONE",)`; None to change only the timing."""

    test: Test | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    retries: int | None = Field(default=None, ge=1)
    start_period: Duration | None = None
    start_interval: Duration | None = None
    disable: bool = False


class Attachment(ComposeShape):
    """A service's attachment to one network. The service's name is always an alias there."""

    aliases: tuple[str, ...] = ()
    ipv4_address: str | None = None
    ipv6_address: str | None = None
    mac_address: str | None = None
    link_local_ips: Texts = ()
    driver_opts: Labels = {}
    priority: int = 0
    gw_priority: int | None = None
    interface_name: str | None = None


class Dependency(ComposeShape):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = "service_started"
    required: bool = True
    restart: bool = False


class Device(ComposeShape):
    source: str
    target: str
    permissions: str = "rwm"


class Logging(ComposeShape):
    driver: str | None = None
    options: Labels = {}


class FileGrant(ComposeShape):
    """A secret or config that appears as a file inside the container. `mode` is octal permission bits."""

    source: str
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


def _read_build(value: object) -> object:
    """Read a string as the context."""
    return {"context": value} if isinstance(value, str) else value


def _distinct_ports(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    """Leave out ports that are written twice, as Compose does."""
    return tuple({port.model_dump_json(): port for port in ports}.values())


Ports = Annotated[
    tuple[Port, ...], AfterValidator(_distinct_ports), BeforeValidator(read_ports, json_schema_input_type=list[int | str | Port])
]
Mounts = Annotated[tuple[Mount, ...], BeforeValidator(read_mounts, json_schema_input_type=list[str | LongMount])]
SecretGrants = Annotated[tuple[FileGrant, ...], BeforeValidator(read_secret_grants, json_schema_input_type=list[str | LongGrant])]
ConfigGrants = Annotated[tuple[FileGrant, ...], BeforeValidator(read_config_grants, json_schema_input_type=list[str | LongGrant])]
Attachments = Annotated[
    dict[str, Attachment], BeforeValidator(names_to_maps, json_schema_input_type=list[str] | dict[str, Attachment | None])
]
Dependencies = Annotated[
    dict[str, Dependency], BeforeValidator(names_to_maps, json_schema_input_type=list[str] | dict[str, Dependency])
]
Devices = Annotated[tuple[Device, ...], BeforeValidator(read_devices, json_schema_input_type=list[str | Device])]


class Service(ComposeShape):
    """One service, with the keys of Compose, and `steady`, `trial` and `protected`, which are promoter's own."""

    image: str | None = None
    build: Annotated[Build, BeforeValidator(_read_build, json_schema_input_type=str | Build)] | None = None
    command: CommandLine | None = None
    entrypoint: CommandLine | None = None
    environment: Variables = {}
    ports: Ports = ()
    expose: Expose = ()
    volumes: Mounts = ()
    volumes_from: DistinctTexts = ()
    networks: Attachments = {}
    network_mode: str | None = None
    mac_address: str | None = None
    external_links: DistinctTexts = ()
    healthcheck: Healthcheck | None = None
    restart: Restart | None = None
    user: str | None = None
    group_add: DistinctTexts = ()
    working_dir: str | None = None
    hostname: str | None = None
    domainname: str | None = None
    container_name: str | None = None
    init: bool | None = None
    labels: Labels = {}
    annotations: Labels = {}
    cap_add: DistinctTexts = ()
    cap_drop: DistinctTexts = ()
    privileged: bool = False
    read_only: bool = False
    tmpfs: Texts = ()
    ulimits: Ulimits = {}
    sysctls: Labels = {}
    shm_size: Size | None = None
    security_opt: DistinctTexts = ()
    devices: Devices = ()
    device_cgroup_rules: DeviceRules = ()
    gpus: Gpus = ()
    storage_opt: Labels = {}
    userns_mode: str | None = None
    extra_hosts: Hosts = {}
    dns: Texts = ()
    dns_search: Texts = ()
    dns_opt: DistinctTexts = ()
    logging: Logging | None = None
    secrets: SecretGrants = ()
    configs: ConfigGrants = ()
    depends_on: Dependencies = {}
    stop_signal: str | None = None
    stop_grace_period: Duration | None = None
    mem_limit: Size | None = None
    mem_reservation: Size | None = None
    memswap_limit: Size | None = None
    cpus: float | None = Field(default=None, ge=0)
    cpu_shares: int | None = None
    cpu_period: Microseconds | None = None
    cpu_quota: Microseconds | None = None
    cpu_rt_period: Microseconds | None = None
    cpu_rt_runtime: Microseconds | None = None
    cpuset: str | None = None
    pids_limit: int | None = None
    oom_score_adj: int | None = None
    oom_kill_disable: bool = False
    mem_swappiness: int | None = Field(default=None, ge=0, le=100)
    blkio_config: BlkioConfig | None = None
    cgroup_parent: str | None = None
    platform: str | None = None
    pid: str | None = None
    ipc: str | None = None
    uts: str | None = None
    cgroup: Literal["host", "private"] | None = None
    runtime: str | None = None
    tty: bool = False
    stdin_open: bool = False
    deploy: Deploy = Deploy()
    steady: Duration | None = None
    trial: bool = False
    protected: bool = False

    @property
    def replicas(self) -> int:
        return 1 if self.deploy.replicas is None else self.deploy.replicas

    def document(self) -> dict[str, Any]:
        """Return what is set as plain JSON data, without defaults. The same service gives the same document."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return document
