"""The settings of a Swarm service in Compose's words, from the JSON of its spec. Pure.

The body of a request and the answer of an inspection have the same form. Both become a flat mapping of paths to values,
without what is not set and without what the engine fills in itself, so that they can be compared.
"""

from collections.abc import Mapping
from typing import Any

from promoter.adapters.engine.settings import Settings, environment
from promoter.model.diff import joined
from promoter.model.labels import LABEL

Json = Mapping[str, Any]
_CONTAINER = {
    "Args": "command",
    "Command": "entrypoint",
    "Hostname": "hostname",
    "Dir": "working_dir",
    "User": "user",
    "Groups": "group_add",
    "TTY": "tty",
    "OpenStdin": "stdin_open",
    "ReadOnly": "read_only",
    "StopSignal": "stop_signal",
    "StopGracePeriod": "stop_grace_period",
    "Hosts": "extra_hosts",
    "DNSConfig": "dns",
    "Init": "init",
    "Sysctls": "sysctls",
    "CapabilityAdd": "cap_add",
    "CapabilityDrop": "cap_drop",
    "Privileges": "privileges",
}
_UNSET: Mapping[str, tuple[object, ...]] = {
    "deploy.endpoint_mode": ("vip",),
    "stop_signal": ("SIGTERM", "15"),
}
_DEFAULT_GRACE = 10_000_000_000
_ALWAYS = frozenset({"deploy.replicas", "deploy.update_config"})
"""Settings that count also if they are zero or empty."""


_OF_THE_SERVICE = ("deploy.replicas", "deploy.update_config", "deploy.rollback_config", "deploy.labels.")
"""Settings of a service that replace none of its tasks."""


def of_tasks(values: Settings) -> Settings:
    """Return the settings that every task has: a change of one of them replaces the tasks."""
    return {path: value for path, value in values.items() if not path.startswith(_OF_THE_SERVICE)}


def flat(spec: Json, networks: Mapping[str, str]) -> Settings:
    """Return the settings by path. `networks` maps the ids of networks to their names."""
    template = spec["TaskTemplate"]
    inside = template.get("ContainerSpec") or {}
    values: Settings = {word: inside.get(key) for key, word in _CONTAINER.items()}
    values |= {
        "healthcheck": _healthcheck(inside.get("Healthcheck")),
        "ulimits": sorted((dict(sorted(one.items())) for one in inside.get("Ulimits") or ()), key=str),
        "logging": template.get("LogDriver"),
        "ports": _ports((spec.get("EndpointSpec") or {}).get("Ports") or ()),
    }
    values |= {joined("environment", name): value for name, value in environment(inside).items()}
    values |= {joined("labels", name): value for name, value in _labels(inside.get("Labels"))}
    values |= {joined("volumes", one["Target"]): _bare(one) for one in inside.get("Mounts") or ()}
    values |= {joined("secrets", one["SecretName"]): _file(one["File"]) for one in inside.get("Secrets") or ()}
    values |= {joined("configs", one["ConfigName"]): _file(one["File"]) for one in inside.get("Configs") or ()}
    attached = template.get("Networks") or spec.get("Networks") or ()
    values |= {joined("networks", networks.get(one["Target"], one["Target"])): _attachment(one) for one in attached}
    values |= _deploy(spec, template)
    if values.get("stop_grace_period") == _DEFAULT_GRACE:
        values["stop_grace_period"] = None
    return {path: value for path, value in values.items() if not _is_unset(path, value)}


def _deploy(spec: Json, template: Json) -> Settings:
    mode, placement = spec.get("Mode") or {}, template.get("Placement") or {}
    replicated = mode.get("Replicated")
    values: Settings = {
        "deploy.mode": None if replicated is not None else next(iter(mode), "").lower(),
        "deploy.replicas": replicated.get("Replicas") if replicated is not None else None,
        "deploy.endpoint_mode": (spec.get("EndpointSpec") or {}).get("Mode"),
        "deploy.placement.constraints": sorted(placement.get("Constraints") or ()),
        "deploy.placement.preferences": placement.get("Preferences"),
        "deploy.placement.max_replicas_per_node": placement.get("MaxReplicas"),
        "deploy.resources": _resources(template.get("Resources") or {}),
        "deploy.restart_policy": _restart(template.get("RestartPolicy")),
        "deploy.update_config": _update(spec.get("UpdateConfig")),
        "deploy.rollback_config": _update(spec.get("RollbackConfig")),
        "platform": [{key: one[key] for key in sorted(one) if one[key]} for one in placement.get("Platforms") or ()],
    }
    return values | {joined("deploy.labels", name): value for name, value in _labels(spec.get("Labels"))}


def _resources(resources: Json) -> dict[str, object]:
    found = {name: _bare(values or {}) for name, values in sorted(resources.items())}
    return {name: values for name, values in found.items() if values}


def _restart(policy: Json | None) -> dict[str, object]:
    """Return the restart policy without the values that the engine fills in."""
    usual = {"Condition": "any", "Delay": 5_000_000_000, "MaxAttempts": 0, "Window": 0}
    return {key: value for key, value in sorted((policy or {}).items()) if value != usual.get(key)}


def _update(config: Json | None) -> dict[str, object] | None:
    if config is None:
        return None
    usual = {"Parallelism": 1, "Delay": 0, "MaxFailureRatio": 0, "FailureAction": "pause", "Order": "stop-first"}
    return {key: value for key, value in sorted(config.items()) if value != usual.get(key)}


def _healthcheck(check: Json | None) -> dict[str, object]:
    if check and list(check.get("Test") or ()) == ["NONE"]:
        return {"Test": ["NONE"]}
    return {key: value for key, value in sorted((check or {}).items()) if value}


def _ports(ports: Any) -> list[str]:
    found = []
    for one in ports:
        published = one.get("PublishedPort") or ""
        found.append(f"{published}:{one['TargetPort']}/{one.get('Protocol') or 'tcp'} {one.get('PublishMode') or 'ingress'}")
    return sorted(found)


def _attachment(one: Json) -> dict[str, object]:
    options = {"driver_opts": one["DriverOpts"]} if one.get("DriverOpts") else {}
    return {"aliases": sorted(one.get("Aliases") or ()), **options}


def _file(file: Json) -> dict[str, object]:
    return {"target": file["Name"], "uid": file.get("UID"), "gid": file.get("GID"), "mode": file.get("Mode")}


def _bare(values: Json) -> dict[str, object]:
    return {key: value for key, value in sorted(values.items()) if value not in (None, "", 0, False, {}, [])}


def _labels(labels: Json | None) -> list[tuple[str, object]]:
    """Return the labels except promoter's own, which name the promotion."""
    return [(name, value) for name, value in (labels or {}).items() if not name.startswith(f"{LABEL}.")]


def _is_unset(path: str, value: object) -> bool:
    if path.startswith(("environment.", "labels.", "deploy.labels.")) or path in _ALWAYS:
        return value is None
    if path.startswith(("networks.", "secrets.", "configs.", "volumes.")):
        return False
    return value in (None, "", 0, False, [], {}) or value in _UNSET.get(path, ())
