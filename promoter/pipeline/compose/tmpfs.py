"""A line of `tmpfs` as a mount: a Swarm service has no other form of it. Pure."""

import re

from promoter.model.pattern import pattern
from promoter.pipeline.compose.service import Mount

_SIZE = pattern(r"([0-9]+)([bkmg]?)", re.IGNORECASE)
_MODE = pattern(r"[0-7]{1,4}")
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def tmpfs_mount(entry: str) -> Mount:
    """Return the mount of a line such as `/run:size=64m,mode=1777`. Raise ValueError, with the reason, for anything else."""
    target, _, text = entry.partition(":")
    size = mode = None
    for option in filter(None, text.split(",")):
        name, _, value = option.partition("=")
        if name not in ("size", "mode"):
            raise ValueError(f"a Swarm service has no tmpfs option {name}: {entry}")
        found = (_SIZE if name == "size" else _MODE).fullmatch(value)
        if found is None:
            raise ValueError(f"{option!r} is not a {name} of a tmpfs: {entry}")
        if name == "size":
            size = int(found[1]) * _UNITS[found[2].lower()]
        else:
            mode = int(value, 8)
    return Mount(type="tmpfs", target=target, tmpfs_size=size, tmpfs_mode=mode)
