"""What `lab.py env` prints: the parts of the lab as exports of a shell."""

import shlex
from pathlib import Path
from typing import Any

from parts import swarm
from parts.lab_state import tag


def exports(facts: dict[str, Any]) -> str:
    names = {
        "DOCKER_HOST": "engine",
        "PROMOTER_LAB_ENGINE": "engine",
        "PROMOTER_LAB_REGISTRY": "registry",
        "PROMOTER_LAB_BUSYBOX": "busybox",
        "PROMOTER_LAB_BUILDX": "buildx",
        "PROMOTER_LAB_HAPROXY": "haproxy",
        "PROMOTER_LAB_COSIGN": "cosign",
        "PROMOTER_LAB_PROMETHEUS": "prometheus",
        "PROMOTER_LAB_POSTGRES": "postgres",
        "PROMOTER_LAB_SSHD": "sshd",
        "PROMOTER_LAB_ZSH": "zsh",
        "PROMOTER_LAB_FISH": "fish",
        "PROMOTER_LAB_SWARM": "swarm",
    }
    values = {name: facts[key] for name, key in names.items() if key in facts} | facts.get("ports", {})
    if "swarm" in facts:
        values |= _swarm(Path(facts["swarm"]))
    return "\n".join(f"export {name}={shlex.quote(str(value))}" for name, value in values.items())


def _swarm(state: Path) -> dict[str, str]:
    """Return what a shell needs of the swarm. Namespaces and the links into them have the name before `-1`, `-2` and `-3`."""
    made = swarm.known(state)
    return {
        "PROMOTER_LAB_SWARM_NODES": " ".join(made.url(node) for node in swarm.NODES),
        "PROMOTER_LAB_SWARM_PIDFILES": " ".join(f"{state}/node-{node}/pid" for node in swarm.NODES),
        "PROMOTER_LAB_SWARM_LINKS": f"plab{tag(state)}",
        "PROMOTER_LAB_SWARM_REGISTRY": made.registry,
        "PROMOTER_LAB_SWARM_LOCKED": made.locked,
        "PROMOTER_LAB_SWARM_LOGIN": ":".join(swarm.PASSWORD),
    }
