"""Engines of other versions and kinds, beside the lab's own: with separate programs, data, socket, bridge and addresses.

Docker Engines come from Debian's suites, unpacked and not installed; Podman is the distribution's.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts import engine, lab_state, podman, talk
from parts.errors import LabError, NotAvailableError
from parts.machine import apt_install, candidate_version, report, unpack, which
from parts.sources import debian_options

FOLDERS = ("usr/sbin", "usr/bin", "usr/libexec/docker")


@dataclass(frozen=True)
class Variant:
    """`version` begins the engine's version; `suites` of Debian may have it. `settings` are keys of daemon.json.

    `init` is the package with the init process of containers.
    """

    version: str = ""
    suites: tuple[str, ...] = ()
    init: str = "tini"
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def podman(self) -> bool:
        return not self.suites


VARIANTS = {
    "docker-20.10": Variant("20.10.", ("bookworm",)),
    "docker-26": Variant("26.", ("trixie",)),
    "docker-28": Variant("28.", ("forky", "sid"), "tini-static"),
    "docker-28-containerd": Variant("28.", ("forky", "sid"), "tini-static", {"features": {"containerd-snapshotter": True}}),
    "podman": Variant(),
}


def home(state: Path, name: str) -> Path:
    """Return the directory of a variant. Its name is short: the path of a socket has 108 bytes at most."""
    return state / "v" / name


def up(state: Path, name: str) -> str:
    """Start a variant and return its address. Raise NotAvailableError if it is not available on this machine."""
    variant, own = VARIANTS[name], home(state, name)
    if talk.engine_silent(engine.url(own)) is None:
        return engine.url(own)
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        programs = podman.provide() if variant.podman else _provide(state, variant)
    except LabError as error:
        raise NotAvailableError(f"{name} is not available here: {error}") from error
    lab_state.remember(own, {"programs": programs, "settings": variant.settings})
    report(f"starting {name}")
    if variant.podman:
        podman.start(own, lab_state.recall(state)["registry"])
    else:
        engine.start(own)
    _prove(name, variant, talk.engine_version(engine.url(own)))
    return engine.url(own)


def _prove(name: str, variant: Variant, found: dict[str, Any]) -> None:
    """Raise LabError if another engine answers than the requested one."""
    kind = found["Components"][0]["Name"]
    if not found["Version"].startswith(variant.version) or (kind == "Podman Engine") != variant.podman:
        raise LabError(f"{name} was started, and {kind} {found['Version']} answers.")


def down(state: Path, name: str) -> None:
    own = home(state, name)
    if own.exists():
        if VARIANTS[name].podman:
            podman.down(own)
        else:
            engine.down(own)
        shutil.rmtree(own, ignore_errors=True)


def down_all(state: Path) -> None:
    for name in VARIANTS:
        down(state, name)


def _provide(state: Path, variant: Variant) -> list[str]:
    """Return directories with the engine's programs; none if those of this machine are of this version."""
    missing = [
        package for program, package in (("iptables", "iptables"), ("ip", "iproute2"), ("runc", "runc")) if not which(program)
    ]
    if missing:
        apt_install(missing, why="run an engine")
    if which("containerd") and _version("dockerd").startswith(variant.version):
        return []
    found = []
    for suite in variant.suites:
        own = state / "packages" / f"engine-{suite}"
        version = _remembered(own) or _fetch(state, own, suite, variant)
        if version.startswith(variant.version):
            return [str(own / folder) for folder in FOLDERS]
        found.append(f"{suite} has {version or 'none'}")
    raise LabError(f"no engine {variant.version}x in Debian: {', '.join(found)}.")


def _remembered(own: Path) -> str:
    try:
        return str(json.loads((own / "version.json").read_text()))
    except FileNotFoundError:
        return ""


def _fetch(state: Path, own: Path, suite: str, variant: Variant) -> str:
    """Return the version of the engine in a suite. Unpack it if it is the wanted one."""
    work = state / "packages/variant-suite"
    report(f"reading Debian's suite {suite}")
    try:
        options = debian_options(work, suite)
        version = candidate_version("docker.io", options)
        if version.startswith(variant.version):
            for package in ("docker.io", "containerd", variant.init):
                unpack(package, own, options)
            (own / "version.json").write_text(json.dumps(version))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return version


def _version(program: str) -> str:
    """Return the version of a Docker program of this machine, such as 20.10.24; empty without one."""
    found = which(program)
    if found is None:
        return ""
    output = subprocess.run(
        [found, "--version"], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    ).stdout
    return output.partition("version ")[2].partition(",")[0].split("+")[0]
