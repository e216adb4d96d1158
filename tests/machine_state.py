"""Check that a test run leaves the machine unchanged: its links, its firewall and its own engine, before and after.

Changes by other processes are allowed: labs of other checkouts may start and stop, and so may new containers. A failure is
anything that existed before and is gone or changed, and a leftover of a lab whose engine is gone.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
from parts import lab_state, talk
from parts.engine import DEFAULT
from parts.machine import which

LAB_MARK = re.compile(r"(?:plab|promoter-lab-)([0-9a-f]{8})")
DAEMON = re.compile(r"/(?:engine|node-\d)/daemon\.json$")
"""The configuration of a daemon of a lab, or of a lab's swarm: each has a directory for itself in that of the lab."""
TIMEOUT, PAUSE = 10.0, 1.0
"""Seconds within which a difference may disappear, and seconds between two looks."""


@dataclass(frozen=True)
class Machine:
    """`links`, `rules` and `containers` by name, each with what must not change. `strays` are leftovers of labs."""

    links: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    strays: tuple[str, ...] = ()


def snapshot() -> Machine:
    """Return the current state of this machine, without what is absent or not visible to this user."""
    own, alive = lab_state.tag(lab_state.directory()), _labs()
    links, rules = _links(), _rules()
    marked = {found[1] for name in (*links, *rules) if (found := LAB_MARK.search(name))}
    return Machine(
        {name: is_ for name, is_ in links.items() if _of_this_lab(name, own) and not _in_labs_range(is_)},
        {rule: table for rule, table in rules.items() if _of_this_lab(rule, own)},
        {str(one["Name"]): str(one["Id"]) for one in _asked("/networks") if not _ours(one)},
        {str(one["Names"][0]): _state(one) for one in _asked("/containers/json?all=1") if not _ours(one)},
        tuple(sorted(marked - alive)),
    )


def differences(before: Machine, after: Machine) -> list[str]:
    """Return a sentence for each item that is gone, changed or left behind."""
    output = []
    for kind in ("links", "rules", "networks", "containers"):
        was, is_ = getattr(before, kind), getattr(after, kind)
        for name, state in was.items():
            if name not in is_:
                output.append(f"{kind[:-1]} {name} is gone")
            elif is_[name] != state:
                output.append(f"{kind[:-1]} {name} was {state}, and is {is_[name]}")
    output += [
        f"the lab {tag} has left a link or a rule behind, and has no engine" for tag in after.strays if tag not in before.strays
    ]
    return output


def persistent(before: Machine, now: Callable[[], Machine] = snapshot, sleep: Callable[[float], None] = time.sleep) -> list[str]:
    """Return the differences that remain: a lab of another checkout may be starting or stopping at the first look."""
    for _ in range(int(TIMEOUT / PAUSE)):
        if not differences(before, now()):
            return []
        sleep(PAUSE)
    return differences(before, now())


# ---------------------------------------------------------------- looking
class _Address(TypedDict):
    local: str
    prefixlen: int
    scope: NotRequired[str]


class _Link(TypedDict):
    """The keys of the output of `ip -j address` that this module reads."""

    ifname: str
    flags: list[str]
    addr_info: NotRequired[list[_Address] | None]


def _links() -> dict[str, str]:
    """Return all links except the pairs that lead into containers, which start and end with these."""
    shown: list[_Link] = json.loads(_output("ip", "-j", "address") or "[]")
    return {
        one["ifname"]: " ".join(["up" if "UP" in one["flags"] else "down", *_addresses(one)])
        for one in shown
        if not one["ifname"].startswith("veth")
    }


def _addresses(link: _Link) -> list[str]:
    """Return the addresses that were configured, without link-local ones, which appear by themselves."""
    found = link.get("addr_info") or []
    return sorted(f"{one['local']}/{one['prefixlen']}" for one in found if one.get("scope") != "link")


def _rules() -> dict[str, str]:
    table, rules = "", {}
    for line in _output("iptables-save").splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":", "-")):
            rules[f"{table} {line.partition(' [')[0]}".replace('"', "")] = "there"
    return rules


def _output(*words: str) -> str:
    program = which(words[0])
    if program is None:
        return ""
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False).stdout


def _asked(path: str) -> Iterator[dict[str, object]]:
    """Yield the objects of the machine's own engine, if one answers."""
    try:
        status, body = talk.get(DEFAULT, path)
    except OSError:
        return
    if status == 200:
        yield from json.loads(body)


def _state(container: Mapping[str, object]) -> str:
    return f"{str(container['Id'])[:12]} {container['State']}"


def _ours(thing: Mapping[str, object]) -> bool:
    labels = thing.get("Labels")
    return isinstance(labels, Mapping) and any(name.startswith("dev.promoter.") for name in labels)


def _of_this_lab(name: str, own: str) -> bool:
    """Return whether the name belongs to this lab or to none."""
    found = LAB_MARK.search(name)
    return found is None or found[1] == own


def _in_labs_range(link: str) -> bool:
    """Return whether a link is of a network that tests make on a lab's engine. The lab's own bridge is outside of this range."""
    addresses = [ip_address(text.partition("/")[0]) for text in link.split()[1:]]
    return any(a.version == 4 and (p := a.packed)[0] == 10 and 64 <= p[1] < 244 and p[2] < 128 for a in addresses)


def _labs() -> set[str]:
    """Return the tags of labs whose engine runs."""
    tags = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        config = next((word for word in words if DAEMON.search(word)), None)
        if config is not None:
            tags.add(lab_state.tag(Path(config).parents[1]))
    return tags


# ---------------------------------------------------------------- around a whole run
_before: list[Machine] = []
_found: list[str] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        _before[:] = [snapshot()]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _before and not hasattr(session.config, "workerinput"):
        _found[:] = persistent(_before[0])
        if _found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _found:
        terminalreporter.section("this machine is not as it was before the tests", red=True)
        for sentence in _found:
            terminalreporter.line(sentence)


if __name__ == "__main__":
    json.dump(asdict(snapshot()), sys.stdout)
