"""The shells that completion is tested in beside bash: the installed ones, else the distribution's."""

from pathlib import Path

from parts.errors import LabError
from parts.machine import apt_install, which


def zsh(state: Path) -> Path:
    """The program."""
    return _shell(state, "zsh")


def fish(state: Path) -> Path:
    """The program."""
    return _shell(state, "fish")


def _shell(state: Path, name: str) -> Path:
    del state  # installed for the machine: each needs a tree of its own functions at a fixed place
    if which(name) is None:
        apt_install([name], why=f"install {name}")
    found = which(name)
    if found is None:
        raise LabError(f"{name} was installed, and is not on PATH.")
    return Path(found)
