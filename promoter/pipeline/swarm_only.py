"""Keys of `deploy` that only a swarm carries out. Elsewhere they are left out with a remark, and change no plan."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from promoter.config.spec import Shape
from promoter.pipeline.compose.deploy import Deploy, Placement, RestartPolicy
from promoter.pipeline.compose.service import Service
from promoter.pipeline.engine_names import key_spot
from promoter.pipeline.file_text import EnvironmentText, FileText

S = TypeVar("S", bound=Shape)
_SCHEDULER = "only a swarm's scheduler reads it"
_DEPLOY: Mapping[str, str] = {
    "mode": _SCHEDULER,
    "endpoint_mode": _SCHEDULER,
    "update_config": "`strategy` of the environment decides how a service is replaced",
    "rollback_config": "promoter decides how a service is restored",
    "labels": "they belong to a swarm service, not to its containers",
}
_PLACEMENT: Mapping[str, str] = {"preferences": _SCHEDULER, "max_replicas_per_node": _SCHEDULER}
_RESTART: Mapping[str, str] = {"delay": "the engine chooses the delay", "window": _SCHEDULER}
_ONE_HOST = "the environment has one host without a name"
Trail = tuple[str, ...]


def unscheduled(
    services: Mapping[str, Service | None], text: FileText, environment: EnvironmentText, *, named_hosts: bool
) -> dict[str, Service | None]:
    """Return the services without the keys that only a swarm carries out, after a remark on each key."""
    made: dict[str, Service | None] = {}
    for name, service in services.items():
        made[name], left_out = (None, {}) if service is None else for_hosts(service, named_hosts=named_hosts)
        for path, why in left_out.items():
            spot = key_spot(text, environment, name, *path)
            text.complaints.remark(spot, f"`{path[-1]}` is left out: {why}", on_key=True, environment=environment.name)
    return made


def for_hosts(service: Service, *, named_hosts: bool) -> tuple[Service, dict[Trail, str]]:
    """Return a service as hosts without a scheduler run it, and why each key was left out, by its path below the service.

    With `named_hosts`, the constraints of its placement choose among these hosts.
    """
    deploy, found = service.deploy, dict[Trail, str]()
    policy, changes = deploy.restart_policy, dict[str, object]()
    _note(found, deploy, _DEPLOY, ("deploy",))
    if named_hosts or not deploy.placement.constraints:
        _note(found, deploy.placement, _PLACEMENT, ("deploy", "placement"))
        changes["placement"] = _without(deploy.placement, _PLACEMENT)
    else:
        found["deploy", "placement"] = _ONE_HOST
        changes["placement"] = Placement()
    if policy is not None:
        _note(found, policy, _RESTART, ("deploy", "restart_policy"))
        changes["restart_policy"] = _without(policy, _RESTART)
    if not found:
        return service, found
    return service.model_copy(update={"deploy": _without(deploy, _DEPLOY).model_copy(update=changes)}), found


def _note(found: dict[Trail, str], shape: Deploy | Placement | RestartPolicy, keys: Mapping[str, str], at: Trail) -> None:
    found.update({(*at, key): why for key, why in keys.items() if key in shape.model_fields_set})


def _without(shape: S, keys: Collection[str]) -> S:
    """Return the shape with the defaults of some keys."""
    fields = type(shape).model_fields
    return shape.model_copy(update={key: fields[key].get_default(call_default_factory=True) for key in keys})
