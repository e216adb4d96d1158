"""Which hosts a service runs on: Compose's `deploy.placement.constraints` over the names and labels of hosts. Pure."""

from collections.abc import Sequence

from promoter.model.pattern import pattern
from promoter.pipeline.hosts import Host

_CONSTRAINT = pattern(r"\s*(node\.hostname|node\.labels\.\S+?)\s*(==|!=)\s*(\S(?:.*\S)?)\s*")
_SWARM = pattern(
    r"(?i)\s*(?:(?:node\.(?:id|hostname|ip|platform\.os|platform\.arch)|(?:node|engine)\.labels\.\S+?)\s*[=!]=\s*\S.*"
    r"|node\.role\s*[=!]=\s*(?:manager|worker)\s*)"
)


def is_swarm_constraint(text: str) -> bool:
    """Return whether a swarm can decide this constraint."""
    return _SWARM.fullmatch(text) is not None


def is_constraint(text: str) -> bool:
    """Return whether promoter can decide this constraint: by a host's name or by one of its labels."""
    return _CONSTRAINT.fullmatch(text) is not None


def allows(constraints: Sequence[str], host: Host) -> bool:
    """Return whether the host fulfils all constraints. A host without a name is the only one, and runs everything."""
    return not host.name or all(_fulfils(one, host) for one in constraints)


def _fulfils(constraint: str, host: Host) -> bool:
    match = _CONSTRAINT.fullmatch(constraint)
    if match is None:
        return False
    key, operator, wanted = match.groups()
    value = host.name if key == "node.hostname" else host.labels.get(key.removeprefix("node.labels."))
    return (value == wanted) is (operator == "==")
