#!/usr/bin/env python3
"""The lab: a real Docker Engine and a real registry for the demo, the tests and the bench, started here and stopped here.

    lab/lab.py up        an engine, a registry, a busybox: found, or installed and started
    lab/lab.py buildx    the docker CLI's build plugin as well, for the tests that need BuildKit
    lab/lab.py ledgers   PostgreSQL and an ssh server as well, for the tests of homes of the ledger
    lab/lab.py shells    zsh, fish, jq and curl as well, for the tests of completion and of what the manual shows
    lab/lab.py front     HAProxy as the content of an image as well, for the tests of fronts
    lab/lab.py swarm     a Docker Swarm of three managers as well, with two registries that every node reaches
    lab/lab.py evidence  cosign and Prometheus as well, for the tests of evidence gates
    lab/lab.py venv DIR  a virtual environment, with apt's help where Python came without ensurepip
    lab/lab.py env       shell exports:  eval "$(lab/lab.py env)"
    lab/lab.py status    what runs
    lab/lab.py down      stops and removes all that this lab started, and nothing else

PROMOTER_LAB_ENGINE (or DOCKER_HOST, where it answers) and PROMOTER_LAB_REGISTRY name parts that are there already;
PROMOTER_LAB_STATE names the directory to use.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from parts import engine, evidence, haproxy, lab_state, ledgers, processes, registry, shells, swarm, talk, tools, variants
from parts.errors import LabError
from parts.exports import exports
from parts.machine import report

PARTS = {"engine": talk.engine_silent, "registry": talk.registry_silent}
PIDFILES = {"engine": "engine/lab-dockerd.pid", "registry": "registry/registry.pid"}
TIMEOUT = 60.0
"""Seconds in which a running part must answer."""


def up() -> dict[str, Any]:
    """Start what is missing. Return the facts about all parts."""
    state = lab_state.directory()
    _prove_named(state)
    if not _complete(state):
        with lab_state.locked(state):
            if not _complete(state):
                _bring_up(state)
    return known(state)


def known(state: Path) -> dict[str, Any]:
    """Return the lab's recorded facts, replaced by the parts that this shell names. Naming a part never stops the lab's own."""
    facts = lab_state.recall(state)
    named = {part: host for part in PARTS if (host := _named(state, part, facts))}
    return facts | named | {f"{part}_private": False for part in named}


def _named(state: Path, part: str, facts: dict[str, Any]) -> str | None:
    """Return the part that the shell names, unless `lab.py env` exported it: that value may be out of date."""
    given, own = os.environ.get(f"PROMOTER_LAB_{part.upper()}"), engine.url(state)
    if part == "engine":
        given = given if given and given != own else engine.foreign_engine(own)
    elif given and os.environ.get("PROMOTER_LAB_ENGINE") == own and talk.registry_silent(given):
        return None
    return given if given != facts.get(part) else None


def _prove_named(state: Path) -> None:
    facts, host = lab_state.recall(state), os.environ.get("DOCKER_HOST")
    if host and host != engine.url(state) and (reason := talk.engine_silent(host)):
        report(f"DOCKER_HOST names {host}, which does not answer ({reason}); looking on")
    for part, silent in PARTS.items():
        if (host := _named(state, part, facts)) and (reason := silent(host)):
            name = f"PROMOTER_LAB_{part.upper()}"
            raise LabError(f"{name} names {host}, which does not answer: {reason}. Start it, or unset the variable.")


def _complete(state: Path) -> bool:
    facts = known(state)
    return "busybox" in facts and all(part in facts and silent(facts[part]) is None for part, silent in PARTS.items())


def _bring_up(state: Path) -> None:
    """Start only what is missing: the registry keeps its content if an engine has ended."""
    facts = lab_state.recall(state) | {"state": str(state)}
    if _missing(state, "engine"):
        engine.down(state)
        dock = engine.find() or engine.up(state)
        facts |= {"engine": dock.url, "engine_private": dock.private}
        lab_state.remember(state, facts)
    if _missing(state, "registry"):
        registry.down(state)
        facts |= {"registry": registry.up(state), "registry_private": True}
    facts["busybox"] = str(tools.busybox(state))
    lab_state.remember(state, facts)


def _missing(state: Path, part: str) -> bool:
    """Return whether a part must be started. A slow part that runs is not missing: replacing it would remove its content."""
    host, pidfile = known(state).get(part), state / PIDFILES[part]
    if host is None:
        return True
    processes.until(lambda: PARTS[part](host) is None or processes.running(pidfile) is None, TIMEOUT, every=0.2)
    reason = PARTS[part](host)
    if reason is not None and processes.running(pidfile) is not None:
        raise LabError(
            f"the lab's {part} runs and does not answer within {TIMEOUT:.0f} s: {reason}.\n"
            "Wait until this machine has less to do, or take the lab away with `make down`."
        )
    return reason is not None


def buildx() -> None:
    _add("buildx", tools.buildx)


def ledger_programs() -> None:
    _add_all(postgres=ledgers.postgres, sshd=ledgers.sshd)


def evidence_programs() -> None:
    _add_all(prometheus=evidence.prometheus, cosign=evidence.cosign)


def front() -> None:
    _add("haproxy", haproxy.haproxy)


def nodes() -> None:
    """Start the swarm with programs and settings of the engine that this shell names, if it is one of the lab's."""
    _add("swarm", lambda state: _swarm(state, swarm.kind_of(known(state)["engine"])))


def _swarm(state: Path, kind: Mapping[str, Any]) -> Path:
    engine.provide()
    return swarm.up(state / "swarm", registry.program(state), kind).state


def more_shells() -> None:
    _add_all(zsh=shells.zsh, fish=shells.fish, jq=shells.jq, curl=shells.curl)


def _add_all(**parts: Callable[[Path], Path | str]) -> None:
    """Provide every part; raise LabError for one that is not available."""
    missing = []
    for name, get in parts.items():
        try:
            _add(name, get)
        except LabError as error:
            missing.append(str(error))
    if missing:
        raise LabError("; ".join(missing))


def _add(name: str, get: Callable[[Path], Path | str]) -> None:
    up()
    state = lab_state.directory()
    with lab_state.locked(state):
        lab_state.remember(state, lab_state.recall(state) | {name: str(get(state))})


def down() -> None:
    state = lab_state.directory()
    if not state.exists():
        report("nothing to stop")
        return
    with lab_state.locked(state):
        _stop_parts(state)
        lab_state.forget(state)
    report("stopped, and all of it removed")


def _stop_parts(state: Path) -> None:
    swarm.down(state / "swarm")
    variants.down_all(state)
    registry.down(state)
    engine.down(state)


def status(facts: dict[str, Any]) -> str:
    if not facts.keys() >= PARTS.keys():
        return "the lab is down"
    lines = [f"state      {lab_state.directory()}"]
    for part, silent in PARTS.items():
        kind = "started by the lab" if facts.get(f"{part}_private") else "was here already"
        lines.append(f"{part:<10} {facts[part]}  {kind}, {silent(facts[part]) or 'answers'}")
    if not talk.engine_silent(facts["engine"]):
        lines.append(f"version    {talk.engine_version(facts['engine'])['Version']}")
    extras = ("busybox", "buildx", "haproxy", "cosign", "prometheus", "postgres", "sshd", "zsh", "fish", "jq", "curl", "swarm")
    lines += [f"{part:<10} {facts[part]}" for part in extras if part in facts]
    return "\n".join(lines)


AS_ROOT: dict[str, Callable[[Path, int], None]] = {
    "engine-start": engine.start_as_root,
    "engine-stop": lambda state, _: engine.stop_as_root(state),
    "engine-kill": lambda state, _: engine.again_as_root(state, killed=True),
    "engine-restart": lambda state, _: engine.again_as_root(state, killed=False),
}
"""The lab runs these as root, in a separate process."""


MORE: dict[str, Callable[[], None]] = {
    "buildx": buildx,
    "ledgers": ledger_programs,
    "shells": more_shells,
    "front": front,
    "swarm": nodes,
    "evidence": evidence_programs,
}
"""Parts that only some tests need."""


def main(argv: list[str]) -> int:
    match argv:
        case ["up"]:
            up()
        case [name] if name in MORE:
            MORE[name]()
        case ["venv", where]:
            tools.venv(Path(where))
        case ["env"]:
            facts = known(lab_state.directory())
            if not facts.keys() >= {*PARTS, "busybox"}:
                raise LabError("the lab is down: `lab/lab.py up` first.")
            print(exports(facts))
        case ["status"]:
            print(status(known(lab_state.directory())))
            return 0 if _complete(lab_state.directory()) else 1
        case ["down"]:
            down()
        case [verb, state, group] if verb in AS_ROOT:
            AS_ROOT[verb](Path(state), int(group))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        report(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
