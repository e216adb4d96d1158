#!/usr/bin/env python3
"""Root's part of the private swarm (parts/swarm_root.py): swarm.py VERB STATE WORD GROUP. The lab and its tests call it."""

import sys
from pathlib import Path

from parts import swarm_root
from parts.errors import LabError
from parts.machine import report


def main(argv: list[str]) -> int:
    match argv:
        case ["up", state, program, group]:
            swarm_root.start(Path(state), program, int(group))
        case ["heal", state, program, group]:
            swarm_root.heal(Path(state), program, int(group))
        case ["down", state, _, _]:
            swarm_root.stop(Path(state))
        case [verb, state, node, group]:
            swarm_root.act(Path(state), verb, int(node), int(group))
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
