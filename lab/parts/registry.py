"""The registry: the one that was named, or Debian's docker-registry on a free loopback port, for this checkout alone."""

import os
from dataclasses import dataclass
from pathlib import Path

from parts import processes, talk
from parts.errors import LabError
from parts.machine import apt_install, candidate, say, unpack, which
from parts.ports import some_port

CONFIG = """version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http: {{addr: "{host}"}}
"""


@dataclass(frozen=True)
class Registry:
    host: str
    private: bool


def find(*, may_be_stale: bool) -> Registry | None:
    """The registry that was named. A shell that still holds this lab's earlier exports may name one that is gone."""
    if named := os.environ.get("PROMOTER_LAB_REGISTRY"):
        if reason := talk.registry_silent(named):
            if may_be_stale:
                return None
            raise LabError(
                f"PROMOTER_LAB_REGISTRY names {named}, which does not answer: {reason}.\nStart it, or unset the variable."
            )
        return Registry(named, private=False)
    return None


def up(state: Path) -> Registry:
    home = state / "registry"
    home.mkdir(exist_ok=True)
    program = _program(state)
    pidfile, log = home / "registry.pid", home / "registry.log"
    for attempt in range(3):  # another process may take the port between our look and its start
        host = f"127.0.0.1:{some_port()}"
        (home / "config.yml").write_text(CONFIG.format(data=home / "data", host=host))
        processes.start([program, "serve", str(home / "config.yml")], pidfile=pidfile, log=log)
        try:
            _await(host, pidfile, log)
        except LabError:
            processes.stop(pidfile, grace=2)
            if attempt == 2:
                raise
        else:
            say(f"a registry answers at {host}")
            return Registry(host, private=True)
    raise AssertionError


def _await(host: str, pidfile: Path, log: Path) -> None:
    processes.await_ready(
        lambda: talk.registry_silent(host) is None, pidfile=pidfile, log=log, what="docker-registry", deadline=30
    )


def down(state: Path) -> None:
    processes.stop(state / "registry/registry.pid", grace=5)


def _program(state: Path) -> str:
    """Unpacked rather than installed: the package would start a registry for the whole network at every boot."""
    installed, own = which("docker-registry"), state / "packages/docker-registry"
    if installed:
        return installed
    binary = own / "usr/bin/docker-registry"
    if not binary.exists():
        say("fetching docker-registry with apt")
        if candidate("docker-registry"):
            unpack("docker-registry", own)
        else:
            apt_install(["docker-registry"], why="install a container registry")
            return which("docker-registry") or str(binary)
    return str(binary)
