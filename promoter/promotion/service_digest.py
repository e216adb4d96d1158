"""Compare a service in two plans: its image, configuration, files and secrets. Pure.

Settings that only promoter uses (order, proof, number of replicas) are not part of a container, so that a change of
these alone replaces no container.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from promoter.model.canonical_json import fingerprint
from promoter.model.secrets import names_in

_NOT_IN_THE_CONTAINER = ("depends_on", "steady", "trial", "protected", "deploy")


def service_digest(plan: Mapping[str, Any] | None, service: str) -> str | None:
    """Return the digest of one service of a plan document; None if the plan does not have it."""
    if plan is None or service not in plan.get("services", {}):
        return None
    config = plan["services"][service]
    kept = {key: value for key, value in config.items() if key not in _NOT_IN_THE_CONTAINER}
    grants = [f"{kind[:-1]}:{grant['source']}" for kind in ("secrets", "configs") for grant in config.get(kind, ())]
    contents = {name: plan.get("contents", {}).get(name) for name in grants}
    sources = {mount.get("source") for mount in config.get("volumes", ())}
    return fingerprint(
        {
            "image": plan["images"][service],
            "config": {**kept, "resources": config.get("deploy", {}).get("resources")},
            "contents": contents,
            "files": {path: digest for path, digest in plan.get("files", {}).items() if path in sources},
            "secrets": {name: plan["secrets"].get(name) for name in sorted(set(_secrets_in([kept, contents])))},
        }
    )


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from names_in(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets_in(item)
