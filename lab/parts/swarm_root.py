"""Root's part of the private swarm: its bridge, its hosts, its daemons and its registries, and what happens to a node.

A node that is killed loses its daemon and its containers, as with a machine that loses its power.
"""

import json
import os
import subprocess
from pathlib import Path

from parts import engine, network, processes, talk
from parts.errors import LabError
from parts.lab_state import recall, tag
from parts.machine import report, run, which
from parts.swarm import NODES, await_nodes, front, url

_HASHED = "ana:$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8."  # bcrypt of swarm.PASSWORD
_REGISTRIES = {"registry": 5000, "locked": 5001}
_CONFIG = """version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {data}}}, delete: {{enabled: true}}}}
http: {{addr: "{host}"}}
"""
_DEADLINE = 60.0


def start(state: Path, registry_program: str, group: int) -> None:
    """Start it, or what is missing of it. Where that fails, start a new one."""
    if (state / "engine/range").exists():
        try:
            heal(state, registry_program, group)
        except LabError as error:
            report(f"starting a new swarm: {error}")
        else:
            return
    stop(state)
    try:
        _make(state, registry_program, group)
    except LabError:
        stop(state)
        raise


def heal(state: Path, registry_program: str, group: int) -> None:
    """Start what has ended, connect what is cut off, and wait until all nodes are ready."""
    for name in _REGISTRIES:
        if registry_program and processes.running(state / name / "pid") is None:
            _start_registry(state, name, registry_program)
    for node in NODES:
        act(state, "connect", node, group)
        act(state, "allow", node, group)
        if processes.running(state / f"node-{node}/pid") is None:
            _end(state / f"node-{node}")
            _start_daemon(state, node, group)
    for node in NODES:
        _await_node(state, node)
    await_nodes(state, len(NODES))


def act(state: Path, verb: str, node: int, group: int) -> None:
    home, registries = state / f"node-{node}", f"{front(state)}.2"
    match verb:
        case "kill":
            _end(home)
        case "start":
            _start_daemon(state, node, group)
            _await_node(state, node)
        case "cut" | "connect":
            run(["ip", "link", "set", _link(state, node), "down" if verb == "cut" else "up"])
        case "deny":
            run(["ip", "-n", _link(state, node), "route", "replace", "blackhole", registries])
        case "allow":
            command = ["ip", "-n", _link(state, node), "route", "delete", "blackhole", registries]
            subprocess.run(command, capture_output=True, check=False)  # it may be allowed already
        case _:
            raise LabError(f"a node has no {verb}")


def stop(state: Path) -> None:
    """End and remove everything except the directory itself, which may be locked, and what the lab recorded in it."""
    for name in _REGISTRIES:
        processes.stop(state / name / "pid", grace=5)
    for node in NODES:
        _end(state / f"node-{node}")
        subprocess.run(["ip", "netns", "delete", _link(state, node)], capture_output=True, check=False)
        subprocess.run(["ip", "link", "delete", _link(state, node)], capture_output=True, check=False)
    network.release(state, set())
    engine.unmount(state)
    parts = [str(path) for path in state.iterdir() if path.name != "state.json"]
    subprocess.run(["rm", "-rf", "--one-file-system", *parts], check=True)


# ------------------------------------------------------------ starting
def _make(state: Path, registry_program: str, group: int) -> None:
    (state / "engine").mkdir()
    net = network.claim(state)
    run(["ip", "address", "add", f"{front(state)}.2/24", "dev", net.bridge])
    for name in _REGISTRIES:
        (state / name).mkdir()
        _start_registry(state, name, registry_program)
    for node in NODES:
        _make_host(state, node, net.bridge)
        _start_daemon(state, node, group)
    for node in NODES:
        _await_node(state, node)
    _join(state, net.pool)


def _start_registry(state: Path, name: str, program: str) -> None:
    """Start a registry on an address of the bridge that nothing else has, so that a route can hide it from one node."""
    home, host = state / name, f"{front(state)}.2:{_REGISTRIES[name]}"
    text = _CONFIG.format(data=home / "data", host=host)
    if name == "locked":
        (home / "htpasswd").write_text(f"{_HASHED}\n")
        text += f"auth: {{htpasswd: {{realm: test, path: {home}/htpasswd}}}}\n"
    (home / "config.yml").write_text(text)
    processes.start([program, "serve", str(home / "config.yml")], pidfile=home / "pid", log=home / "log")
    answers = {None, "it answered with status 401"}
    processes.await_ready(
        lambda: talk.registry_silent(host) in answers, pidfile=home / "pid", log=home / "log", what=name, deadline=_DEADLINE
    )


def _make_host(state: Path, node: int, bridge: str) -> None:
    """Make the network namespace of a node, linked to the bridge."""
    name = _link(state, node)
    run(["ip", "netns", "add", name])
    run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
    run(["ip", "link", "set", name, "master", bridge, "up"])
    run(["ip", "-n", name, "address", "add", f"{front(state)}.{10 + node}/24", "dev", "eth0"])
    for device in ("lo", "eth0"):
        run(["ip", "-n", name, "link", "set", device, "up"])
    run(["ip", "-n", name, "route", "add", "default", "via", f"{front(state)}.1"])
    (state / f"node-{node}").mkdir()


def _start_daemon(state: Path, node: int, group: int) -> None:
    home = state / f"node-{node}"
    settings = {
        "hosts": [url(state, node)],
        "group": str(group),
        "data-root": str(home / "data"),
        "exec-root": str(home / "exec"),
        "pidfile": str(home / "dockerd.pid"),
        "insecure-registries": [f"{front(state)}.2:{port}" for port in _REGISTRIES.values()],
        "shutdown-timeout": 1,
        **recall(state).get("settings", {}),
    }
    (home / "daemon.json").write_text(json.dumps(settings))
    for stale in ("dockerd.pid", "exec/containerd/containerd.pid"):  # another process may have the number now
        (home / stale).unlink(missing_ok=True)
    daemon = f"hostname node-{node} && exec {which('dockerd') or 'dockerd'} --config-file {home}/daemon.json"
    # not `ip netns exec`: it mounts another /sys, where the daemon finds no cgroups
    words = ["nsenter", f"--net=/run/netns/{_link(state, node)}", "unshare", "--uts", "sh", "-c", daemon]
    processes.start(words, pidfile=home / "pid", log=home / "log")


def _await_node(state: Path, node: int) -> None:
    home, address = state / f"node-{node}", url(state, node)
    processes.await_ready(
        lambda: talk.engine_silent(address) is None,
        pidfile=home / "pid",
        log=home / "log",
        what=f"node {node}",
        deadline=_DEADLINE,
    )


def _join(state: Path, pool: str) -> None:
    """Make the swarm. A short heartbeat lets it notice a lost node within seconds."""
    body = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": f"{front(state)}.11",
        "DefaultAddrPool": [pool],
        "SubnetSize": 24,
        "Spec": {"Dispatcher": {"HeartbeatPeriod": 1_000_000_000}},
    }
    _post(state, 1, "/swarm/init", body)
    token = json.loads(talk.get(url(state, 1), "/swarm")[1])["JoinTokens"]["Manager"]
    for node in NODES[1:]:
        joining = {
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": f"{front(state)}.{10 + node}",
            "RemoteAddrs": [f"{front(state)}.11:2377"],
            "JoinToken": token,
        }
        _post(state, node, "/swarm/join", joining)
    await_nodes(state, len(NODES))


def _post(state: Path, node: int, path: str, body: dict[str, object]) -> None:
    status, text = talk.post(url(state, node), path, body)
    if status >= 400:
        raise LabError(f"node {node} refuses {path}: {text.decode(errors='replace')}")


def _end(home: Path) -> None:
    """Kill the daemon of a node, and its containers."""
    if (pid := processes.running(home / "pid")) is not None:
        os.kill(pid, 9)
        processes.stop(home / "pid", grace=5)
    engine.end_shims(home / "exec/containerd/containerd.sock")
    engine.unmount(home)


def _link(state: Path, node: int) -> str:
    """Return the name of a node's namespace and of its link to the bridge. It begins as all links of labs do."""
    return f"plab{tag(state)}-{node}"
