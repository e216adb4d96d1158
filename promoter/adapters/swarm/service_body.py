"""Convert a ContainerSpec to the JSON of a Swarm service, `POST /services/create`. Pure: needs no manager.

Durations are nanoseconds there. Settings that a Swarm service cannot have are refused when the pipeline file is read.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from promoter.adapters.engine.create_body import healthcheck, nanoseconds, without_none
from promoter.model.labels import ROLE, Role
from promoter.pipeline.compose.deploy import RestartPolicy, UpdateConfig
from promoter.pipeline.compose.service import Mount, Port, Service
from promoter.pipeline.compose.tmpfs import tmpfs_mount
from promoter.promotion.ports.container import ContainerSpec, FileContent

Json = dict[str, Any]
Ids = Mapping[str, str]
"""Maps the names of secrets and configs to the ids that the swarm gave them."""
_STEADY = timedelta(seconds=2)
"""How long a new task must run before it counts, if neither `monitor` nor `steady` says it."""
_CONDITIONS = {"no": "none", "always": "any", "unless-stopped": "any"}
PULLS_ONLY = ("/promoter-pulls-only",)
"""A command that no image has: its task fails after the image was pulled, and nothing of the image runs."""


def service_body(spec: ContainerSpec, ids: Ids) -> Json:
    """Return the body of a service that keeps running."""
    deploy = spec.service.deploy
    mode: Json = {"Replicated": {"Replicas": spec.service.replicas}} if deploy.mode == "replicated" else {"Global": {}}
    return {
        "Name": spec.name,
        "Labels": {**deploy.labels, **spec.labels},
        "TaskTemplate": task_template(spec, ids),
        "Mode": mode,
        "UpdateConfig": _update(deploy.update_config, spec.service),
        **({"RollbackConfig": _update(deploy.rollback_config, spec.service)} if deploy.rollback_config else {}),
        "EndpointSpec": {"Mode": deploy.endpoint_mode, "Ports": [_port(port) for port in spec.service.ports]},
    }


def job_body(spec: ContainerSpec, ids: Ids) -> Json:
    """Return the body of a job: one task that runs once.

    It is a service that is not restarted: of the mode `replicated-job`, engine 20.10 leaves the containers on the nodes.
    """
    template = {**task_template(spec, ids), "RestartPolicy": {"Condition": "none"}}
    return {"Name": spec.name, "Labels": _of_job(spec), "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}}


def pull_body(spec: ContainerSpec) -> Json:
    """Return the body of a job that only makes each allowed node pull the image.

    It is a service that is not restarted: a job of the mode `global-job` tries again without end.
    """
    container = {"Image": str(spec.image), "Labels": dict(spec.labels), "Command": list(PULLS_ONLY)}
    placement = {key: value for key, value in _placement(spec.service).items() if key != "MaxReplicas"}
    template = {"ContainerSpec": container, "RestartPolicy": {"Condition": "none"}, "Placement": placement}
    return {"Name": spec.name, "Labels": _of_job(spec), "TaskTemplate": template, "Mode": {"Global": {}}}


def _of_job(spec: ContainerSpec) -> dict[str, str]:
    """Return the labels of a job, which tell it from a service that keeps running."""
    return {**spec.labels, ROLE: Role.JOB}


def task_template(spec: ContainerSpec, ids: Ids) -> Json:
    service = spec.service
    return without_none(
        ContainerSpec=_container(spec, ids),
        Resources=_resources(service),
        RestartPolicy=_restart(service.deploy.restart_policy, service.restart),
        Placement=_placement(service),
        Networks=[
            without_none(Target=name, Aliases=list(one.aliases) or None, DriverOpts=dict(one.driver_opts) or None)
            for name, one in service.networks.items()
        ],
        LogDriver=without_none(Name=service.logging.driver, Options=dict(service.logging.options)) if service.logging else None,
    )


def _container(spec: ContainerSpec, ids: Ids) -> Json:
    service = spec.service
    return without_none(
        Image=str(spec.image),
        Labels={**service.labels, **spec.labels},
        Command=list(service.entrypoint) if service.entrypoint is not None else None,
        Args=list(service.command) if service.command is not None else None,
        Hostname=service.hostname,
        Env=[f"{name}={value}" for name, value in service.environment.items()] or None,
        Dir=service.working_dir,
        User=service.user,
        Groups=list(service.group_add) or None,
        TTY=service.tty or None,
        OpenStdin=service.stdin_open or None,
        ReadOnly=service.read_only or None,
        Mounts=[_mount(one, spec) for one in (*service.volumes, *map(tmpfs_mount, service.tmpfs))] or None,
        StopSignal=service.stop_signal,
        StopGracePeriod=nanoseconds(service.stop_grace_period),
        Healthcheck=healthcheck(service.healthcheck) if service.healthcheck else None,
        Hosts=[f"{address} {host}" for host, many in service.extra_hosts.items() for address in many] or None,
        DNSConfig=_dns(service) or None,
        Secrets=[_reference(file, ids, "Secret") for file in spec.files if file.secret] or None,
        Configs=[_reference(file, ids, "Config") for file in spec.files if not file.secret] or None,
        Init=service.init,
        Sysctls=dict(service.sysctls) or None,
        CapabilityAdd=[_capability(name) for name in service.cap_add] or None,
        CapabilityDrop=[_capability(name) for name in service.cap_drop] or None,
        Ulimits=[{"Name": name, "Soft": one.soft, "Hard": one.hard} for name, one in service.ulimits.items()] or None,
    )


def _reference(file: FileContent, ids: Ids, kind: str) -> Json:
    """Return the reference to a secret or config. In the container it is at `file.path`."""
    target = {"Name": file.path, "UID": str(file.uid), "GID": str(file.gid), "Mode": file.mode}
    return {f"{kind}ID": ids.get(file.name, ""), f"{kind}Name": file.name, "File": target}


def _mount(mount: Mount, spec: ContainerSpec) -> Json:
    options: Json = {}
    if mount.type == "bind":
        options = without_none(Propagation=mount.propagation)
    elif mount.type == "volume":
        named = spec.volumes.get(mount.source or "")
        labels = {**mount.labels, **(named.labels if named else {})}
        driver = without_none(Name=named.driver, Options=dict(named.options) or None) if named else {}
        options = without_none(
            NoCopy=mount.nocopy or None, Labels=labels or None, DriverConfig=driver or None, Subpath=mount.subpath
        )
    else:
        options = without_none(SizeBytes=mount.tmpfs_size, Mode=mount.tmpfs_mode)
    body = without_none(Type=mount.type, Source=mount.source, Target=mount.target, ReadOnly=mount.read_only or None)
    return {**body, **({f"{mount.type.capitalize()}Options": options} if options else {})}


def _dns(service: Service) -> Json:
    return without_none(
        Nameservers=list(service.dns) or None, Search=list(service.dns_search) or None, Options=list(service.dns_opt) or None
    )


def _capability(name: str) -> str:
    upper = name.upper()
    return upper if upper == "ALL" or upper.startswith("CAP_") else f"CAP_{upper}"


def _resources(service: Service) -> Json | None:
    """Return the limits. `deploy.resources` wins over the older keys beside it, as in Compose."""
    limits, reserved = service.deploy.resources.limits, service.deploy.resources.reservations
    cpus = limits.cpus if limits.cpus is not None else service.cpus
    found = {
        "Limits": without_none(
            NanoCPUs=_nano(cpus),
            MemoryBytes=limits.memory if limits.memory is not None else service.mem_limit,
            Pids=limits.pids if limits.pids is not None else service.pids_limit,
        ),
        "Reservations": without_none(
            NanoCPUs=_nano(reserved.cpus),
            MemoryBytes=reserved.memory if reserved.memory is not None else service.mem_reservation,
        ),
    }
    return {name: values for name, values in found.items() if values} or None


def _restart(policy: RestartPolicy | None, restart: str | None) -> Json | None:
    """Return the restart policy. `deploy.restart_policy` wins over `restart`, as in Compose."""
    if policy is not None:
        condition = _CONDITIONS.get(policy.condition, policy.condition)
        delay, window = nanoseconds(policy.delay), nanoseconds(policy.window)
        return without_none(Condition=condition, MaxAttempts=policy.max_attempts, Delay=delay, Window=window)
    if restart is None:
        return None
    name, _, count = restart.partition(":")
    return without_none(Condition=_CONDITIONS.get(name, name), MaxAttempts=int(count) if count else None)


def _placement(service: Service) -> Json:
    placement = service.deploy.placement
    system, _, rest = (service.platform or "").partition("/")
    platforms = [{"OS": system, "Architecture": rest.partition("/")[0]}] if rest else None
    return without_none(
        Constraints=list(placement.constraints) or None,
        Preferences=[{"Spread": {"SpreadDescriptor": one.spread}} for one in placement.preferences] or None,
        MaxReplicas=placement.max_replicas_per_node,
        Platforms=platforms,
    )


def _update(config: UpdateConfig | None, service: Service) -> Json:
    """Return how tasks are replaced. A failure always pauses: promoter returns all services of the environment together."""
    config = config or UpdateConfig()
    monitor = config.monitor if config.monitor is not None else service.steady or _STEADY
    return without_none(
        Parallelism=config.parallelism,
        Delay=nanoseconds(config.delay) or None,
        FailureAction="pause",
        Monitor=nanoseconds(monitor),
        MaxFailureRatio=config.max_failure_ratio,
        Order=config.order,
    )


def _port(port: Port) -> Json:
    return without_none(
        Name=port.name, Protocol=port.protocol, TargetPort=port.target, PublishedPort=port.published, PublishMode=port.mode
    )


def _nano(cpus: float | None) -> int | None:
    return None if cpus is None else round(cpus * 1_000_000_000)
