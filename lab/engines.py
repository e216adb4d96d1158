#!/usr/bin/env python3
"""Engines of other versions and kinds beside the lab's own: docker-20.10, docker-26, docker-28, docker-28-containerd, podman.

    lab/engines.py up NAME     start it
    lab/engines.py env NAME    shell exports that name it, beside those of `lab/lab.py env`
    lab/engines.py down NAME   stop and remove it; `lab/lab.py down` removes all of them

Exit code 3: that engine is not available on this machine, and the reason is printed. `make matrix` runs tests on each of them.
"""

import sys
from pathlib import Path

from parts import engine, lab_state, podman, talk, variants
from parts.errors import LabError, NotAvailableError
from parts.machine import report


def main(argv: list[str]) -> int:
    match argv:
        case ["podman-start", state, owner, registry]:
            podman.start_as_root(Path(state), int(owner), registry)
        case ["podman-stop", state, _, _]:
            podman.stop_as_root(Path(state))
        case [("up" | "env" | "down") as verb, name] if name in variants.VARIANTS:
            _for_people(verb, name)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def _for_people(verb: str, name: str) -> None:
    state = lab_state.directory()
    if not {"engine", "registry"} <= lab_state.recall(state).keys():
        raise LabError("the lab is down: `lab/lab.py up` first.")
    own = engine.url(variants.home(state, name))
    if verb == "env":
        if (reason := talk.engine_silent(own)) is not None:
            raise LabError(f"{name} does not run ({reason}): `lab/engines.py up {name}` first.")
        print(f"export DOCKER_HOST={own}\nexport PROMOTER_LAB_ENGINE={own}")
        return
    with lab_state.locked(state):
        if verb == "up":
            report(f"{name} answers at {variants.up(state, name)}")
        else:
            variants.down(state, name)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NotAvailableError as error:
        report(str(error))
        sys.exit(3)
    except LabError as error:
        report(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
