"""The private engine's network: a bridge, a range of addresses that is used only here, and four firewall rules.

Root only. Everything has the lab's name or is in the lab's range, so it can be removed without a change to anything else.
"""

import ipaddress
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from parts.errors import LabError
from parts.lab_state import machine_lock, tag
from parts.machine import run, which


@dataclass(frozen=True)
class Net:
    bridge: str
    whole: str
    pool: str
    gateway: str

    @property
    def bridge_range(self) -> str:
        """Return the range of the bridge itself, which contains the gateway."""
        return str(ipaddress.ip_interface(self.gateway).network)


def claim(state: Path) -> Net:
    bridge = f"plab{tag(state)}"
    with machine_lock(which("ip") or "/"):
        net = free_range(state)
        run(["ip", "link", "add", bridge, "type", "bridge"])
        (state / "engine/range").write_text(net.whole)
        run(["ip", "address", "add", net.gateway, "dev", bridge])
        run(["ip", "link", "set", bridge, "up"])
    for rule in _rules(state, net.whole):
        run(["iptables", "-w", *rule])
    return net


def release(state: Path, bridges: set[str]) -> None:
    """Remove the network. `bridges` are links of the engine's networks besides those in the lab's range."""
    bridge, memory = f"plab{tag(state)}", state / "engine/range"
    for table in ("filter", "nat"):
        listing = subprocess.run(["iptables", "-w", "-t", table, "-S"], capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            if _mark(state) in line.replace('"', "").split():
                run(["iptables", "-w", "-t", table, "-D", *line.replace('"', "").split()[1:]])
    links = _links_within(memory.read_text()) if memory.exists() else set()
    for link in sorted(links | bridges | {bridge}):
        subprocess.run(["ip", "link", "delete", link, "type", "bridge"], capture_output=True, check=False)


def _rules(state: Path, whole: str) -> list[list[str]]:
    """Return the rules for traffic out and back. They are first in the chain: another Docker may have closed it."""
    mark = ["-m", "comment", "--comment", _mark(state)]
    return [
        ["-t", "nat", "-A", "POSTROUTING", "-s", whole, "!", "-d", whole, *mark, "-j", "MASQUERADE"],
        ["-t", "filter", "-I", "FORWARD", "-s", whole, *mark, "-j", "ACCEPT"],
        [
            "-t",
            "filter",
            "-I",
            "FORWARD",
            "-d",
            whole,
            "-m",
            "conntrack",
            "--ctstate",
            "RELATED,ESTABLISHED",
            *mark,
            "-j",
            "ACCEPT",
        ],
        ["-t", "filter", "-I", "FORWARD", "-s", whole, "-d", whole, *mark, "-j", "ACCEPT"],
    ]


def _mark(state: Path) -> str:
    return f"promoter-lab-{tag(state)}"


def free_range(state: Path) -> Net:
    """Return a range that this machine does not use. It is not reserved."""
    bridge, first, taken = f"plab{tag(state)}", 64 + int(tag(state), 16) % 180, _taken()
    for step in range(180):
        second = 64 + (first - 64 + step) % 180
        whole = ipaddress.ip_network(f"10.{second}.0.0/16")
        if not any(whole.overlaps(other) for other in taken):
            return Net(bridge, str(whole), f"10.{second}.0.0/17", f"10.{second}.255.1/24")
    raise LabError("every range from 10.64.0.0 to 10.243.0.0 is in use on this machine.")


def _taken() -> list[ipaddress.IPv4Network]:
    routes = run(["ip", "-4", "route", "show", "table", "all"])
    addresses = run(["ip", "-4", "-o", "address"])
    found = re.findall(r"\b\d+\.\d+\.\d+\.\d+(?:/\d+)?", routes + addresses)
    return [ipaddress.IPv4Network(text, strict=False) for text in found if not text.startswith("0.")]


def _links_within(whole: str) -> set[str]:
    """Return bridges of networks that the engine made: a daemon leaves them behind when it ends."""
    ours = ipaddress.ip_network(whole)
    lines = run(["ip", "-4", "-o", "address"]).splitlines()
    return {line.split()[1] for line in lines if ipaddress.ip_interface(line.split()[3]).ip in ours}
