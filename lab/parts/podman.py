"""Podman as a service for its Docker socket, with configuration, storage, networks and addresses of its own.

Its firewall chains (NETAVARK…) are shared by all Podmans of a machine: they stay, without a rule for any container.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from parts import engine, network, processes, talk
from parts.lab_state import tag
from parts.machine import SEARCH, apt_install, as_root, which

PROGRAMS = {"podman": "podman", "runc": "runc", "catatonit": "catatonit"}
HELPERS = {"netavark": "netavark", "aardvark-dns": "aardvark-dns"}
HELPER_DIRECTORIES = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman", "/usr/local/lib/podman")
CONTAINERS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[network]
network_backend = "netavark"
network_config_dir = "{home}/networks"
default_subnet_pools = [{{"base" = "{pool}", "size" = 26}}]
"""


def provide() -> list[str]:
    """Install what is missing. Return no directories of programs: its programs are those of this machine."""
    missing = [package for program, package in PROGRAMS.items() if not _there(program)]
    missing += [package for program, package in HELPERS.items() if not _there(program)]
    if missing:
        apt_install(missing, why="install Podman")
    return []


def _there(program: str) -> bool:
    return bool(which(program)) or any((Path(folder) / program).exists() for folder in HELPER_DIRECTORIES)


def start(state: Path, registry: str) -> None:
    """`registry` speaks plain HTTP: Podman must be configured to accept that."""
    _as_root(state, "podman-start", registry, why="start a private Podman")


def down(state: Path) -> None:
    if (state / "engine").exists():
        _as_root(state, "podman-stop", "", why="stop the private Podman")


def _as_root(state: Path, verb: str, registry: str, *, why: str) -> None:
    script = Path(__file__).resolve().parents[1] / "engines.py"
    as_root(["env", f"PATH={SEARCH}", sys.executable, "-B", str(script), verb, str(state), str(os.getuid()), registry], why=why)


def start_as_root(state: Path, owner: int, registry: str) -> None:
    home = state / "engine"
    stop_as_root(state)
    home.mkdir(mode=0o711)
    _configure(state, home, registry)
    pidfile, log, socket = home / "podman.pid", home / "podman.log", home / "docker.sock"
    words = [*_podman(home), "system", "service", "--time", "0", f"unix://{socket}"]
    processes.start(words, pidfile=pidfile, log=log, env=_environment(home))
    processes.await_ready(
        lambda: talk.engine_silent(engine.url(state)) is None, pidfile=pidfile, log=log, what="podman", deadline=60
    )
    os.chown(socket, owner, -1)


def _configure(state: Path, home: Path, registry: str) -> None:
    """Configure its default network: otherwise it would be `podman0`, which another Podman of this machine uses."""
    net = network.free_range(state)
    (home / "networks").mkdir()
    (home / "containers.conf").write_text(CONTAINERS.format(home=home, pool=net.pool))
    (home / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    default = {
        "name": "podman",
        "id": tag(state) * 8,
        "driver": "bridge",
        "network_interface": f"ppod{tag(state)}",
        "created": "2026-01-01T00:00:00Z",
        "subnets": [{"subnet": net.bridge_range, "gateway": net.gateway.partition("/")[0]}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": False,
        "ipam_options": {"driver": "host-local"},
    }
    (home / "networks/podman.json").write_text(json.dumps(default))


def _podman(home: Path) -> list[str]:
    return [which("podman") or "podman", "--root", str(home / "data"), "--runroot", str(home / "run")]


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CONTAINERS_CONF": str(home / "containers.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(home / "registries.conf"),
        "BUILDAH_RUNTIME": "runc",
    }


def stop_as_root(state: Path) -> None:
    """Remove its containers, which removes their networks' links and rules, then the service and all data."""
    home = state / "engine"
    if (home / "containers.conf").exists():
        remove = [*_podman(home), "rm", "--all", "--force", "--time", "0"]
        subprocess.run(remove, env=_environment(home), capture_output=True, check=False, timeout=120)
    processes.stop(home / "podman.pid", grace=10)
    engine.unmount(home)
    subprocess.run(["rm", "-rf", "--one-file-system", str(home)], check=True)
