#!/usr/bin/env python3
"""The lab: a real Docker Engine and a real registry for the demo, the tests and the bench, started here and stopped here.

    lab/lab.py up        an engine, a registry, a busybox: found, or installed and started
    lab/lab.py buildx    the docker CLI's build plugin as well, for the tests that need BuildKit
    lab/lab.py venv DIR  a virtual environment, with apt's help where Python came without ensurepip
    lab/lab.py env       shell exports:  eval "$(lab/lab.py env)"
    lab/lab.py status    what runs
    lab/lab.py down      stops and removes all that this lab started, and nothing else

PROMOTER_LAB_ENGINE and PROMOTER_LAB_REGISTRY name parts that are there already; PROMOTER_LAB_STATE the directory to live in.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from parts import engine, place, registry, talk, tools
from parts.errors import LabError
from parts.machine import say


def up() -> dict[str, Any]:
    """Bring up what is missing; give the facts about what there is."""
    state = place.directory()
    facts = place.recall(state)
    if facts and _answers(facts):
        return facts
    with place.locked(state):
        facts = place.recall(state)
        if not facts or not _answers(facts):
            facts = _bring_up(state, facts)
        return facts


def _bring_up(state: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Only what is missing: an engine that died costs nobody the registry's content."""
    facts = {**facts, "state": str(state)}
    if not _serves(facts, "engine"):
        engine.down(state)
        dock = engine.find(state) or engine.up(state)
        facts |= {"engine": dock.url, "engine_private": dock.private}
        place.remember(state, facts)
    if not _serves(facts, "registry"):
        registry.down(state)
        store = registry.find(may_be_stale=_own_exports()) or registry.up(state)
        facts |= {"registry": store.host, "registry_private": store.private}
    facts["busybox"] = str(tools.busybox(state))
    place.remember(state, facts)
    return facts


def _answers(facts: dict[str, Any]) -> bool:
    return "busybox" in facts and _serves(facts, "engine") and _serves(facts, "registry")


def _serves(facts: dict[str, Any], part: str) -> bool:
    """There, answering, and still the one that is asked for."""
    if part not in facts:
        return False
    asked = None if _own_exports() else os.environ.get(f"PROMOTER_LAB_{part.upper()}")
    silent = {"engine": talk.engine_silent, "registry": talk.registry_silent}[part]
    return asked in (None, facts[part]) and silent(facts[part]) is None


def _own_exports() -> bool:
    """The shell holds what `lab.py env` printed once: that is not a wish, and may be out of date."""
    return os.environ.get("PROMOTER_LAB_ENGINE") == engine.url(place.directory())


def buildx() -> dict[str, Any]:
    up()
    state = place.directory()
    with place.locked(state):
        facts = place.recall(state) | {"buildx": str(tools.buildx(state))}
        place.remember(state, facts)
    return facts


def down() -> None:
    state = place.directory()
    if not state.exists():
        say("nothing to stop")
        return
    with place.locked(state):
        _stop_parts(state)
        place.forget(state)
    say("stopped, and all of it removed")


def _stop_parts(state: Path) -> None:
    registry.down(state)
    engine.down(state)


def exports(facts: dict[str, Any]) -> str:
    names = {
        "DOCKER_HOST": "engine",
        "PROMOTER_LAB_ENGINE": "engine",
        "PROMOTER_LAB_REGISTRY": "registry",
        "PROMOTER_LAB_BUSYBOX": "busybox",
        "PROMOTER_LAB_BUILDX": "buildx",
    }
    values = {name: facts[key] for name, key in names.items() if key in facts} | facts.get("ports", {})
    return "\n".join(f"export {name}={shlex.quote(str(value))}" for name, value in values.items())


def status(facts: dict[str, Any]) -> str:
    if not facts:
        return "the lab is down"
    lines = [f"state     {facts['state']}"]
    for part, silent in (("engine", talk.engine_silent), ("registry", talk.registry_silent)):
        if part in facts:
            kind = "started by the lab" if facts[f"{part}_private"] else "was here already"
            lines.append(f"{part:<9} {facts[part]}  {kind}, {silent(facts[part]) or 'answers'}")
    if not talk.engine_silent(facts["engine"]):
        lines.append(f"version   {talk.engine_version(facts['engine'])['Version']}")
    lines += [f"{part:<9} {facts[part]}" for part in ("busybox", "buildx") if part in facts]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    match argv:
        case ["up"]:
            up()
        case ["buildx"]:
            buildx()
        case ["venv", where]:
            tools.venv(Path(where))
        case ["env"]:
            facts = place.recall(place.directory())
            if not facts:
                raise LabError("the lab is down: `lab/lab.py up` first.")
            print(exports(facts))
        case ["status"]:
            facts = place.recall(place.directory())
            print(status(facts))
            return 0 if facts and _answers(facts) else 1
        case ["down"]:
            down()
        case ["engine-start", state, group]:
            engine.start_as_root(Path(state), int(group))
        case ["engine-stop", state, _]:
            engine.stop_as_root(Path(state))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
