"""Remove what a pipeline left on an engine, with the engine's plain HTTP API and without promoter's own code."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from parts.errors import LabError
from parts.processes import until
from parts.talk import connection

DEADLINE = 30.0
"""Seconds within which an engine must remove containers, and release their network, or that of a removed service's tasks."""


def sweep(engine: str, pipeline: str) -> None:
    """Remove containers, networks and volumes with the pipeline's label, in any state."""
    _remove_containers(engine, pipeline)
    for network in labelled(engine, "networks", pipeline):
        if network["Scope"] == "local" and not until(partial(_is_released, engine, network), DEADLINE, every=0.1):
            raise LabError(
                f"containers of {pipeline} still use network {network['Name']}:\n{_call(engine, 'GET', _path(network))}"
            )
    for volume in labelled(engine, "volumes", pipeline):
        _call(engine, "DELETE", f"/volumes/{quote(volume['Name'], safe='')}?force=1")


def sweep_swarm(engines: Sequence[str], pipeline: str) -> None:
    """Remove what a pipeline has on a swarm. `engines` are its nodes: each keeps the containers of a job that was removed."""
    manager = engines[0]
    for kind in ("services", "secrets", "configs"):
        for found in labelled(manager, kind, pipeline):
            _call(manager, "DELETE", f"/{kind}/{found['ID']}")
    for engine in engines:
        _remove_containers(engine, pipeline)
    for network in labelled(manager, "networks", pipeline):
        if not until(partial(_is_removed, manager, network), DEADLINE, every=0.1):
            raise LabError(f"tasks of {pipeline} still use network {network['Name']}")
    for engine in engines:
        sweep(engine, pipeline)


def _path(network: Mapping[str, Any]) -> str:
    return f"/networks/{network['Id']}"


def _is_removed(engine: str, network: Mapping[str, Any]) -> bool:
    """Remove a network. It is refused while something uses it: tasks end after their service, endpoints after their container."""
    status, _ = _answer(engine, "DELETE", _path(network))
    return status < 400 or status == 404


def _is_released(engine: str, network: Mapping[str, Any]) -> bool:
    """Disconnect what a killed or busy engine still keeps in the network of removed containers, and remove the network."""
    _disconnect(engine, network)
    return _is_removed(engine, network)


def _remove_containers(engine: str, pipeline: str) -> None:
    if not until(partial(_are_removed, engine, pipeline), DEADLINE, every=0.1):
        raise LabError(f"containers of {pipeline} cannot be removed:\n{labelled(engine, 'containers', pipeline)}")


def _are_removed(engine: str, pipeline: str) -> bool:
    """Remove containers. An engine under load may refuse it, and may still be at it when it has answered."""
    for container in labelled(engine, "containers", pipeline):
        _answer(engine, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
    return not labelled(engine, "containers", pipeline)


def _disconnect(engine: str, network: Mapping[str, Any]) -> None:
    found = _call(engine, "GET", _path(network)) or {}
    for container, endpoint in (found.get("Containers") or {}).items():
        name = endpoint.get("Name") if container.startswith("ep-") else container
        _answer(engine, "POST", f"{_path(network)}/disconnect", {"Container": name, "Force": True})


def labelled(engine: str, kind: str, pipeline: str) -> list[Any]:
    """Return the engine's objects of this kind that have the pipeline's label."""
    filters = quote(json.dumps({"label": [f"dev.promoter.pipeline={pipeline}"]}))
    found = _call(engine, "GET", f"/{kind}{'/json' if kind == 'containers' else ''}?all=1&filters={filters}")
    return (found.get("Volumes") if kind == "volumes" else found) or []


def _call(engine: str, method: str, path: str, content: object = None) -> Any:
    status, body = _answer(engine, method, path, content)
    assert status < 400 or status in {404, 409}, f"{method} {path}: {status} {body!r}"
    return json.loads(body) if body else None


def _answer(engine: str, method: str, path: str, content: object = None) -> tuple[int, bytes]:
    talk = connection(engine, timeout=60)
    try:
        data = None if content is None else json.dumps(content)
        talk.request(method, path, data, {} if data is None else {"Content-Type": "application/json"})
        answer = talk.getresponse()
        return answer.status, answer.read()
    finally:
        talk.close()
