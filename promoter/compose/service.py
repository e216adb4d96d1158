"""A service in canonical form: every Compose key that promoter carries out, in one spelling each.

Short forms become these in `forms.py`; overrides are merged in `merge.py`. Everything is optional, because an
override names only what it changes. Sizes are bytes, times are timedeltas, both printed as Compose writes them.
"""

from typing import Any, Literal

from pydantic import Field

from promoter.compose.shape import Duration, Shape


class Build(Shape):
    context: str = "."
    dockerfile: str | None = None
    dockerfile_inline: str | None = None
    target: str | None = None
    args: dict[str, str | None] = {}
    labels: dict[str, str] = {}
    cache_from: tuple[str, ...] = ()
    network: str | None = None
    shm_size: int | None = None
    extra_hosts: dict[str, tuple[str, ...]] = {}
    platforms: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False


class Port(Shape):
    """`published` is None for a port of the engine's choice."""

    target: int = Field(ge=1, le=65535)
    published: int | None = Field(default=None, ge=1, le=65535)
    host_ip: str | None = None
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    mode: Literal["ingress", "host"] = "ingress"
    name: str | None = None
    app_protocol: str | None = None


class Mount(Shape):
    """`source` is a host path (bind), a volume's name (volume; None for an anonymous one) or nothing (tmpfs)."""

    type: Literal["bind", "volume", "tmpfs"]
    source: str | None = None
    target: str
    read_only: bool = False
    propagation: str | None = None
    create_host_path: bool = True
    nocopy: bool = False
    subpath: str | None = None
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


class Healthcheck(Shape):
    """`test` is `("CMD", …)`, `("CMD-SHELL", line)` or `("NONE",)`; None where only the timing is changed."""

    test: tuple[str, ...] | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    retries: int | None = Field(default=None, ge=1)
    start_period: Duration | None = None
    start_interval: Duration | None = None
    disable: bool = False


class Attachment(Shape):
    """A service's place on one network. The service's own name is an alias there without being written."""

    aliases: tuple[str, ...] = ()
    ipv4_address: str | None = None
    ipv6_address: str | None = None
    mac_address: str | None = None


class Dependency(Shape):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = "service_started"
    required: bool = True
    restart: bool = False


class Ulimit(Shape):
    soft: int
    hard: int


class Device(Shape):
    source: str
    target: str
    permissions: str = "rwm"


class Logging(Shape):
    driver: str | None = None
    options: dict[str, str] = {}


class FileGrant(Shape):
    """A secret or config that appears as a file inside the container. `mode` is octal permission bits."""

    source: str
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


class Limits(Shape):
    """`cpus` in cores, `memory` in bytes."""

    cpus: float | None = Field(default=None, gt=0)
    memory: int | None = None
    pids: int | None = None


class Resources(Shape):
    limits: Limits = Limits()
    reservations: Limits = Limits()


class Deploy(Shape):
    replicas: int | None = Field(default=None, ge=0)
    resources: Resources = Resources()


class Service(Shape):
    """One service. `build` says how the image comes to be; the rest, how it runs. Keys are Compose's own,
    but for `steady` and `trial`, which are promoter's."""

    image: str | None = None
    build: Build | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: dict[str, str] = {}
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    volumes: tuple[Mount, ...] = ()
    networks: dict[str, Attachment] = {}
    network_mode: str | None = None
    healthcheck: Healthcheck | None = None
    restart: str | None = None
    user: str | None = None
    group_add: tuple[str, ...] = ()
    working_dir: str | None = None
    hostname: str | None = None
    domainname: str | None = None
    container_name: str | None = None
    init: bool | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    privileged: bool = False
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    ulimits: dict[str, Ulimit] = {}
    sysctls: dict[str, str] = {}
    shm_size: int | None = None
    security_opt: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    extra_hosts: dict[str, tuple[str, ...]] = {}
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    logging: Logging | None = None
    secrets: tuple[FileGrant, ...] = ()
    configs: tuple[FileGrant, ...] = ()
    depends_on: dict[str, Dependency] = {}
    stop_signal: str | None = None
    stop_grace_period: Duration | None = None
    mem_limit: int | None = None
    mem_reservation: int | None = None
    memswap_limit: int | None = None
    cpus: float | None = Field(default=None, gt=0)
    cpu_shares: int | None = None
    cpuset: str | None = None
    pids_limit: int | None = None
    oom_score_adj: int | None = None
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

    @property
    def replicas(self) -> int:
        return 1 if self.deploy.replicas is None else self.deploy.replicas

    def document(self) -> dict[str, Any]:
        """Plain JSON data: what is set, without defaults. The same service gives the same document."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return document
