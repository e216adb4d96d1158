"""Shells, and programs to which people pipe answers: the installed ones, otherwise the distribution's."""

from pathlib import Path

from parts.errors import LabError
from parts.machine import apt_install, which


def zsh(state: Path) -> Path:
    """Return the program zsh."""
    return _installed(state, "zsh")


def fish(state: Path) -> Path:
    """Return the program fish."""
    return _installed(state, "fish")


def jq(state: Path) -> Path:
    """Return the program jq."""
    return _installed(state, "jq")


def curl(state: Path) -> Path:
    """Return the program curl."""
    return _installed(state, "curl")


def _installed(state: Path, name: str) -> Path:
    del state  # installed for the machine: shells need their functions at a fixed path, and the pages need all programs on PATH
    if which(name) is None:
        apt_install([name], why=f"install {name}")
    found = which(name)
    if found is None:
        raise LabError(f"{name} was installed, and is not on PATH.")
    return Path(found)
