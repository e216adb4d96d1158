"""Remove what a pipeline left on an engine, with the engine's plain HTTP API and without promoter's own code."""

import json
from typing import Any
from urllib.parse import quote

from parts.talk import connection


def sweep(engine: str, pipeline: str) -> None:
    """Remove containers, networks and volumes with the pipeline's label, in any state."""
    for container in labelled(engine, "containers", pipeline):
        _call(engine, "DELETE", f"/containers/{container['Id']}?force=1&v=1")
    for network in labelled(engine, "networks", pipeline):
        _disconnect(engine, network["Id"])
        _call(engine, "DELETE", f"/networks/{network['Id']}")
    for volume in labelled(engine, "volumes", pipeline):
        _call(engine, "DELETE", f"/volumes/{quote(volume['Name'], safe='')}?force=1")


def _disconnect(engine: str, network: str) -> None:
    """Disconnect endpoints of removed containers: an engine that was killed or is busy may keep them for a while."""
    found = _call(engine, "GET", f"/networks/{network}") or {}
    for container, endpoint in (found.get("Containers") or {}).items():
        name = endpoint.get("Name") if container.startswith("ep-") else container
        _call(engine, "POST", f"/networks/{network}/disconnect", {"Container": name, "Force": True})


def labelled(engine: str, kind: str, pipeline: str) -> list[Any]:
    """Return the engine's objects of this kind that have the pipeline's label."""
    filters = quote(json.dumps({"label": [f"dev.promoter.pipeline={pipeline}"]}))
    found = _call(engine, "GET", f"/{kind}{'/json' if kind == 'containers' else ''}?all=1&filters={filters}")
    return (found.get("Volumes") if kind == "volumes" else found) or []


def _call(engine: str, method: str, path: str, content: object = None) -> Any:
    talk = connection(engine, timeout=60)
    try:
        data = None if content is None else json.dumps(content)
        talk.request(method, path, data, {} if data is None else {"Content-Type": "application/json"})
        answer = talk.getresponse()
        body = answer.read()
    finally:
        talk.close()
    assert answer.status < 400 or answer.status in {404, 409}, f"{method} {path}: {answer.status} {body!r}"
    return json.loads(body) if body else None
