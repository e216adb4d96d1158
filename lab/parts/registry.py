"""The registry: Debian's docker-registry on a free loopback port, for this checkout alone."""

from pathlib import Path

from parts import processes, talk
from parts.errors import LabError
from parts.machine import apt_install, candidate, report, unpack, which
from parts.ports import some_port

CONFIG = """version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http: {{addr: "{host}"}}
"""


def up(state: Path) -> str:
    """Start it. Return its host:port."""
    home = state / "registry"
    home.mkdir(exist_ok=True)
    binary = program(state)
    pidfile, log = home / "registry.pid", home / "registry.log"
    for attempt in range(3):  # another process may take the port between our check and its start
        host = f"127.0.0.1:{some_port()}"
        (home / "config.yml").write_text(CONFIG.format(data=home / "data", host=host))
        processes.start([binary, "serve", str(home / "config.yml")], pidfile=pidfile, log=log)
        try:
            _await(host, pidfile, log)
        except LabError:
            processes.stop(pidfile, grace=2)
            if attempt == 2:
                raise
        else:
            report(f"a registry answers at {host}")
            return host
    raise AssertionError


def _await(host: str, pidfile: Path, log: Path) -> None:
    processes.await_ready(
        lambda: talk.registry_silent(host) is None, pidfile=pidfile, log=log, what="docker-registry", deadline=30
    )


def down(state: Path) -> None:
    processes.stop(state / "registry/registry.pid", grace=5)


def program(state: Path) -> str:
    """Return the program, unpacked and not installed: the package would start a registry for the whole network at every boot."""
    installed, own = which("docker-registry"), state / "packages/docker-registry"
    if installed:
        return installed
    binary = own / "usr/bin/docker-registry"
    if not binary.exists():
        report("fetching docker-registry with apt")
        if candidate("docker-registry"):
            unpack("docker-registry", own)
        else:
            apt_install(["docker-registry"], why="install a container registry")
            return which("docker-registry") or str(binary)
    return str(binary)
