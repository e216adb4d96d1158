"""The Docker Engine: the one that answers, or a private one of the distribution's package beside other engines.

The private one shares nothing with another: own containerd, data, sockets, bridge, addresses. It does not change Docker's own
firewall chains (a second daemon would empty those of the first) and has four rules, marked with the lab's name.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parts import lab_state, network, processes, talk
from parts.errors import LabError
from parts.machine import SEARCH, apt_install, as_root, report, which

DEFAULT = "unix:///var/run/docker.sock"
POOLS = "default-address-pools"


@dataclass(frozen=True)
class Engine:
    url: str
    private: bool


def find() -> Engine | None:
    """Return the engine at the default socket, if it answers."""
    return None if talk.engine_silent(DEFAULT) else Engine(DEFAULT, private=False)


def foreign_engine(own: str) -> str | None:
    """Return the engine at DOCKER_HOST, if it answers and is not the lab's own."""
    host = os.environ.get("DOCKER_HOST")
    return host if host and host != own and talk.engine_silent(host) is None else None


def up(state: Path) -> Engine:
    """Install it if it is missing, and start it."""
    provide()
    report("starting a private Docker Engine")
    start(state)
    return Engine(url(state), private=True)


def provide() -> None:
    """Install what a private engine needs, if it is missing."""
    missing = [
        package
        for program, package in (("dockerd", "docker.io"), ("iptables", "iptables"), ("ip", "iproute2"))
        if not which(program)
    ]
    if missing:
        apt_install(missing, why="install the distribution's Docker Engine")


def start(state: Path) -> None:
    """Start it with the installed programs."""
    _as_root(state, "engine-start", why="start a private Docker Engine")


def down(state: Path) -> None:
    if (state / "engine").exists():
        _as_root(state, "engine-stop", why="stop the private Docker Engine")


def _as_root(state: Path, verb: str, *, why: str) -> None:
    """Run root's part in a separate process, as sudo requires. PATH is set here, because sudo replaces it.

    The state's `programs` are directories that come first on PATH, and `settings` are more keys of daemon.json.
    """
    lab = Path(__file__).resolve().parents[1] / "lab.py"
    path = os.pathsep.join([*lab_state.recall(state).get("programs", ()), SEARCH])
    as_root(["env", f"PATH={path}", sys.executable, "-B", str(lab), verb, str(state), str(os.getgid())], why=why)


def url(state: Path) -> str:
    """Return the address of this lab's private engine."""
    return f"unix://{state / 'engine/docker.sock'}"


def start_as_root(state: Path, group: int) -> None:
    home = state / "engine"
    home.mkdir(mode=0o711, exist_ok=True)
    if processes.running(home / "lab-dockerd.pid") is None:
        stop_as_root(state)
        home.mkdir(mode=0o711)
        try:
            _start(state, home, group)
        except LabError:
            stop_as_root(state, keep_logs=True)
            raise


def _start(state: Path, home: Path, group: int) -> None:
    net = network.claim(state)
    containerd = _start_containerd(home)
    settings = {
        "hosts": [url(state)],
        "group": str(group),
        "data-root": str(home / "data"),
        "exec-root": str(home / "exec"),
        "pidfile": str(home / "dockerd.pid"),
        "containerd": containerd,
        "bridge": net.bridge,
        "iptables": False,
        POOLS: [{"base": net.pool, "size": 26}],
        "shutdown-timeout": 5,
        **lab_state.recall(state).get("settings", {}),
    }
    (home / "daemon.json").write_text(json.dumps(settings, indent=2))
    _start_dockerd(state, home)


def _start_dockerd(state: Path, home: Path) -> None:
    pidfile, log = home / "lab-dockerd.pid", home / "dockerd.log"
    processes.start([_program("dockerd"), "--config-file", str(home / "daemon.json")], pidfile=pidfile, log=log)
    processes.await_ready(lambda: talk.engine_silent(url(state)) is None, pidfile=pidfile, log=log, what="dockerd", deadline=90)


def again(state: Path, *, killed: bool) -> None:
    """Stop a private engine, with or without a shutdown, and start it on the same data, for tests of restarts."""
    _as_root(state, "engine-kill" if killed else "engine-restart", why="restart the private Docker Engine")


def again_as_root(state: Path, *, killed: bool) -> None:
    home = state / "engine"
    if killed and (pid := processes.running(home / "lab-dockerd.pid")) is not None:
        os.kill(pid, 9)
    processes.stop(home / "lab-dockerd.pid", grace=30)
    (home / "dockerd.pid").unlink(missing_ok=True)
    _forget_pools(home / "daemon.json")
    _start_dockerd(state, home)


def _forget_pools(config: Path) -> None:
    """Remove the address pools: an engine with pools that finds earlier networks deletes `docker0`, even of another engine.

    So the second start has none. Existing networks keep their addresses; new ones get free ones.
    """
    settings: dict[str, Any] = json.loads(config.read_text())
    settings.pop(POOLS, None)
    config.write_text(json.dumps(settings, indent=2))


def _start_containerd(home: Path) -> str:
    address = home / "containerd.sock"
    config = home / "containerd.toml"
    config.write_text(
        f'version = 2\nroot = "{home}/containerd"\nstate = "{home}/run"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{address}"\n[ttrpc]\naddress = "{address}.ttrpc"\n'
    )
    pidfile, log = home / "lab-containerd.pid", home / "containerd.log"
    processes.start([_program("containerd"), "--config", str(config)], pidfile=pidfile, log=log)
    processes.await_ready(address.exists, pidfile=pidfile, log=log, what="containerd", deadline=60)
    return str(address)


def _program(name: str) -> str:
    found = which(name)
    if found is None:
        raise LabError(f"{name} is missing, though its package is installed.")
    return found


def stop_as_root(state: Path, *, keep_logs: bool = False) -> None:
    """End the daemons, then remove what they may have left: shims, mounts, bridges, rules, data."""
    home = state / "engine"
    bridges = _bridges(state)
    processes.stop(home / "lab-dockerd.pid", grace=30)
    end_shims(home / "containerd.sock")
    processes.stop(home / "lab-containerd.pid", grace=10)
    unmount(home)
    network.release(state, bridges)
    if not keep_logs:
        subprocess.run(["rm", "-rf", "--one-file-system", str(home)], check=True)


def _bridges(state: Path) -> set[str]:
    """Return the links of the engine's networks: it leaves them behind when it ends."""
    if talk.engine_silent(url(state)) is not None:
        return set()
    found = json.loads(talk.get(url(state), "/networks")[1])
    return {f"br-{one['Id'][:12]}" for one in found if one["Driver"] == "bridge" and one["Name"] != "bridge"}


def end_shims(containerd: Path) -> None:
    """End the shims that a killed daemon left. The command line of each contains the path of its containerd's socket."""
    address = str(containerd).encode()
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].rpartition(b"/")[2].startswith(b"containerd-shim") and address in words:
            _kill_with_children(int(proc.name))


def _kill_with_children(pid: int) -> None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        pids = [int(child) for child in children.read_text().split()]
    except OSError:
        pids = []
    for each in (pid, *pids):
        try:
            os.kill(each, 9)
        except ProcessLookupError:
            continue


def unmount(home: Path) -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{home}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False)
